"""African, Caribbean and Middle Eastern communities: forenames and surnames written for this generator, most
frequent first.
"""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.community import Community
from linkage.synthesise.names.words import words

COMMUNITIES: Final[tuple[Community, ...]] = (
    Community(
        key="middle_east_afghan",
        share=0.008,
        ethnic_category="S",
        men=words(
            """
            Ahmad Mohammad Ali Hassan Hussein Omar Khaled Mahmoud Ibrahim Yousef Mustafa Abdullah Karim Samir Tariq
            Ziad Bassam Fadi Rami Nasser Hamid Jawad Farid Najib Habib Zabihullah Rahmatullah Najibullah Sardar Azad
            Dilshad Hiwa Karwan Rebaz Aram Soran Amir Reza Mehdi Arash Nima Navid Shah Gul Esmat Wahid Latif Sami
            Zia
            """
        ),
        women=words(
            """
            Fatima Maryam Zahra Aisha Layla Noor Hana Rania Samira Salma Huda Amal Iman Rana Dina Lina Yasmin Nadia
            Zainab Khadija Shirin Nasrin Parisa Leila Mina Sara Shabnam Zohra Farida Latifa Nilofar Roya Shukria
            Gulalai Shler Nasik Kwestan Awaz Hero Sozan Avin Rojin Dilan Mahsa
            """
        ),
        surnames=words(
            """
            Ahmadi Mohammadi Hussaini Rahimi Karimi Noori Haidari Safi Amiri Sultani Hassan Ali Hussein Mahmoud
            Ibrahim Khalil Saleh Mustafa Omar Abdullah Rashid Aziz Hamid Karim Salih Mohammed Ahmed Qadir Hama Azizi
            Stanikzai Ahmadzai Zadran Popal Wardak Hosseini Rezaei Moradi Jafari Kazemi Haddad Khoury Nasser Mansour
            Darwish
            """
        ),
        concentration=0.7,
        tail_share=0.0,
        new_year=0.3,
        deprivation=2.2,
        medway=1.4,
        variant_factor=3.0,
        swap_factor=3.0,
        middle_share=0.1,
    ),
    Community(
        key="horn_of_africa",
        share=0.003,
        ethnic_category="N",
        men=words(
            """
            Abdi Mohamed Ahmed Hassan Ali Omar Yusuf Ibrahim Abdullahi Mahad Liban Guled Tesfaye Haile Abebe Dawit
            Yohannes Samuel Michael Filmon Robel Biniam Mehari Kidane Tekle Berhane Girma Solomon Daniel Bereket
            """
        ),
        women=words(
            """
            Amina Fadumo Hodan Halima Khadija Maryan Sahra Asha Ifrah Hibo Nasteho Selam Hiwot Tigist Almaz Rahel
            Saba Helen Senait Feven Abeba Meron Bethlehem Zewdi Letebrhan Mahlet Ruta Winta
            """
        ),
        surnames=words(
            """
            Mohamed Ali Ahmed Hassan Abdi Omar Ibrahim Yusuf Farah Warsame Jama Osman Tesfay Haile Kidane
            Gebremariam Ghebremedhin Tekle Berhe Mehari Abraha Tsegay Weldu Alemu Bekele Tadesse Abebe
            """
        ),
        concentration=0.9,
        tail_share=0.0,
        new_year=0.38,
        deprivation=2.5,
        medway=1.5,
        variant_factor=3.0,
        swap_factor=3.0,
    ),
    Community(
        key="west_african",
        share=0.036,
        ethnic_category="N",
        men=words(
            """
            Emmanuel Samuel Daniel David Michael Joseph Oluwaseun Oluwatobi Oluwafemi Babatunde Adebayo Adewale
            Olumide Chukwuemeka Chinedu Obinna Ikechukwu Emeka Kelechi Uchenna Ifeanyi Nnamdi Tunde Segun Femi Kunle
            Ayodele Temitope Kwame Kofi Kwabena Yaw Kwaku Ebenezer Isaac Solomon Prince Gabriel Joshua Jeremiah
            Elijah Tobiloba Ayomide Oluwadarasimi Moses Victor Sunday Godwin Benjamin Philip Akinola Abiodun Gideon
            Stephen Peter Paul John Nana Oluwatimilehin Ethan Nathan Caleb Ezekiel Jaden
            """
        ),
        women=words(
            """
            Grace Blessing Mary Elizabeth Esther Ruth Deborah Comfort Patience Oluwaseun Oluwafunke Folake Funmilayo
            Yetunde Bukola Titilayo Omolara Adenike Abimbola Temitope Ngozi Chioma Chinyere Nkechi Adaeze Ifeoma
            Uchenna Amaka Chidinma Abena Akosua Ama Adwoa Yaa Afia Akua Esi Joy Faith Peace Mercy Gloria Victoria
            Rachel Hannah Priscilla Oluwadamilola Ayomide Tiwalade Morenike Eniola Rebecca Sarah Naomi Abigail
            Destiny Precious Favour Zoe Gabriella Michelle Nana
            """
        ),
        surnames=words(
            """
            Adeyemi Adebayo Okafor Okonkwo Mensah Owusu Boateng Ogunleye Eze Nwosu Balogun Adeleke Afolabi Asante
            Osei Appiah Agyemang Ojo Okoro Obi Akinyemi Oyedele Ogunbanjo Adewale Bello Ibrahim Johnson Williams
            Amoah Ansah Addo Acheampong Danso Darko Frimpong Gyamfi Opoku Sarpong Yeboah Uche Nwachukwu Onyeka
            Chukwu Igwe Ezeh Bangura Kamara Sesay Koroma Conteh Kargbo Oladipo Olaniyan Fashola Alabi Lawal Salami
            Yusuf Ajayi Sowande Coker Cole Moyo Ncube Dube Sibanda Ndlovu Mutasa Banda Phiri Mwale
            """
        ),
        stems=words(
            """
            Abe Abi Ade Adey Afo Aga Aji Aka Akin Ala Ani Ata Awo Ayo Baba Bamg Chi Chukwu Dada Dipo Ebe Ego Eke
            Ekwu Emen Eno Eze Fagb Fala Fas Iba Ige Ike Ile Iro Iwu Jai Jim Kola Kuti Lad Mad Mak Mba Nna Nwa Nwo
            Oba Obi Oda Odu Ogun Oja Oke Okpa Ola Oli Olo Olu Omo Ona Ono Ony Ope Ore Osh Oso Owo Oye Sal Shob Sol
            Sow Tai Uba Ude Udo Uga Uma Uzo Yak
            """
        ),
        endings=words(
            """
            bayo kunle dele sola tunde wole yemi leye bi ku ma nna ka kwu nye ro so gbe mi niyi sanya toye woro lami
            jobi ren
            """
        ),
        concentration=0.5,
        tail_share=0.5,
        deprivation=1.3,
        medway=1.6,
        variant_factor=1.6,
        swap_factor=2.2,
        middle_share=0.7,
    ),
    Community(
        key="caribbean",
        share=0.01,
        ethnic_category="M",
        men=words(
            """
            Winston Leroy Errol Delroy Trevor Carlton Neville Desmond Clive Michael David Anthony Marlon Jermaine
            Tyrone Marcus Andre Leon Nathan Jerome Dwayne Kieron Tyrell Malachi Isaiah Elijah Micah Josiah Reuben
            Kai Joshua Daniel Jordan Aaron Curtis Darnell Omari Kyle Rakeem Samuel
            """
        ),
        women=words(
            """
            Beverley Yvonne Marcia Sonia Paulette Sandra Jennifer Claudette Hyacinth Gloria Pearl Merlene Norma
            Sharon Michelle Natasha Chantelle Shanice Keisha Tanisha Simone Jade Tia Kiara Amara Zara Aaliyah Nevaeh
            Naomi Renee Nadine Monique Latoya Jasmine Ebony Kezia Leah Hannah Rochelle Camille
            """
        ),
        surnames=words(
            """
            Brown Williams Campbell Smith Johnson Thompson Reid Gordon Grant Francis Clarke Morgan Lewis Stewart
            Henry James Wright Davis Robinson Powell Allen Bailey Edwards Bennett Palmer Richards Thomas Joseph
            Charles Alexander Pierre Baptiste Blake Samuels Daley Dixon Ellis Forbes Graham Hylton Lawrence McKenzie
            Miller Nelson Parchment Phillips Simpson Walters Watson Whyte Bartley Beckford Burrell Chambers Gayle
            Malcolm Pinnock Wint
            """
        ),
        concentration=0.6,
        tail_share=0.0,
        deprivation=1.4,
        medway=1.5,
        middle_share=0.7,
    ),
)
