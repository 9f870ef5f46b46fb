"""South Asian and east Asian communities: forenames and surnames written for this generator, most frequent first."""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.community import Community
from linkage.synthesise.names.words import words

COMMUNITIES: Final[tuple[Community, ...]] = (
    Community(
        key="sikh",
        share=0.018,
        ethnic_category="H",
        men=words(
            """
            Gurpreet Harpreet Manpreet Amandeep Jaspreet Sukhdeep Mandeep Hardeep Kuldeep Gurdeep Rajinder
            Sukhwinder Balwinder Jaswinder Harjinder Kulwinder Surinder Narinder Mohinder Jagjit Harjit Ranjit
            Manjit Paramjit Baljit Amarjit Gurmit Jasbir Balbir Gurcharan Avtar Mohan Karan Arjan Jeevan Amar Fateh
            Zoravar Veer Armaan Joban Tejinder Davinder Lakhbir Resham Satnam Piara Harbhajan Gurnam Sarbjit
            Inderjit Dilraj Gurjit Kiran Rohan Jasdeep
            """
        ),
        women=words(
            """
            Gurpreet Harpreet Manpreet Amandeep Jaspreet Sukhdeep Mandeep Hardeep Kuldeep Rajinder Sukhwinder
            Balwinder Jaswinder Harjinder Kulwinder Surinder Narinder Paramjit Ranjit Manjit Baljit Amarjit Gurmeet
            Jasbir Balbir Satwant Kiran Simran Jasleen Navneet Ravneet Harleen Amrit Kirandeep Pardeep Rupinder
            Sarbjit Baljinder Gian Surjit Jagdish Ravinder Parminder Gurbax Nirmal Avneet Sehaj Anaya Mehar Prabhjot
            Sandeep Tarandeep Jagir Davinder
            """
        ),
        surnames=words(
            """
            Singh Gill Sandhu Dhillon Sidhu Grewal Bains Dhaliwal Johal Atwal Sahota Uppal Rai Purewal Randhawa Mann
            Virk Sangha Sekhon Samra Hundal Chahal Bhogal Matharu Sagoo Bansal Kalsi Sembhi Panesar Virdee Sehmi
            Flora Nijjar Basra Cheema Aujla Thandi Mahal Brar Toor Deol Bassi Badesha Kang Hayer Kooner Hothi Lalli
            Heer Dosanjh Bhandal Rehal
            """
        ),
        concentration=1.05,
        tail_share=0.0,
        new_year=0.03,
        medway=1.8,
        woman_surnames=("Kaur",),
        woman_surname_share=0.55,
        variant_factor=1.4,
        swap_factor=2.0,
        middle_share=0.6,
    ),
    Community(
        key="hindu",
        share=0.014,
        ethnic_category="H",
        men=words(
            """
            Rajesh Sanjay Amit Rahul Vijay Ravi Sunil Anil Ashok Ramesh Suresh Mahesh Dinesh Mukesh Nilesh Jignesh
            Hitesh Bhavesh Kiran Nikhil Vivek Deepak Manoj Ajay Arun Krishna Rohan Aarav Vihaan Arjun Dev Ishaan
            Kunal Jay Hemant Pravin Kantilal Jayesh Chirag Ketan Pankaj Rakesh Naresh Harish Jagdish Girish Aryan
            Ayaan Vivaan Reyansh Pranav Siddharth Rishi Varun Akash Anand Mohan Thomas Jose Shibu Biju Saji Binu
            Anoop Jacob
            """
        ),
        women=words(
            """
            Priya Anita Sunita Rekha Meena Kavita Nisha Pooja Neha Asha Usha Lata Geeta Sita Hansa Bhavna Jyoti
            Heena Hetal Kinjal Dipti Jayshree Manisha Sonal Mital Nikita Aarti Divya Shreya Ananya Diya Aadhya Anika
            Riya Isha Kavya Saanvi Myra Anjali Radha Lakshmi Deepa Smita Varsha Ranjan Kokila Pushpa Sarla Vimala
            Parul Alpa Sheetal Swati Rupal Leela Jincy Sheeba Shiny Bindu Rani Mini Jessy Reena Sherin
            """
        ),
        surnames=words(
            """
            Patel Shah Sharma Kumar Gupta Desai Mehta Joshi Mistry Parmar Chauhan Solanki Modi Thakkar Bhatt Trivedi
            Pandya Dave Amin Vyas Rana Rathod Prajapati Panchal Kapoor Malhotra Verma Agarwal Reddy Rao Nair Menon
            Pillai Iyer Thomas Varghese Mathew George Jacob Philip Joseph Kurian Chacko Das Mukherjee Banerjee
            Chatterjee Ghosh Bose Sen Dutta Khanna Chopra Arora Bhatia Sethi Suri Vaghela Gohil Makwana Lad Tailor
            Naik Pandit Raval Barot Gandhi
            """
        ),
        stems=words(
            """
            Acha Agni Amba Ana Bha Bhag Chan Chin Dara Desh Dev Dha Dut Gad Gaj Gan Gar Gop Gov Jag Jan Kal Kam Kan
            Kap Kas Kel Khan Kir Kol Kri Kul Lak Mad Mah Man Mor Nag Nam Nar Pad Pan Par Pra Pur Rag Raj Ram Sag San
            Sar Shan Sub Sur Tal Tej Tri Upa Vas Ven Vid Vish
            """
        ),
        endings=words(
            """
            nathan raman krishnan kar wal dani jani lani rajan murthy swamy ani ekar alkar appa iah palli ara
            """
        ),
        concentration=1.1,
        tail_share=0.25,
        deprivation=0.7,
        medway=1.8,
        variant_factor=1.2,
        swap_factor=1.8,
        middle_share=0.45,
    ),
    Community(
        key="nepali",
        share=0.006,
        ethnic_category="L",
        men=words(
            """
            Bishnu Ram Krishna Hari Dil Bahadur Prem Tek Man Purna Dhan Lal Gopal Suresh Ramesh Rajendra Narayan
            Santosh Bikash Sagar Prakash Kiran Aayush Roshan Deepak Kumar Tika Padam Chandra Om Indra Jit Nar Gyan
            Sujan Nabin Aarav Milan Yam Ganga Kul Amrit
            """
        ),
        women=words(
            """
            Maya Sita Gita Laxmi Devi Kumari Bishnu Man Dil Purna Sabita Sunita Anita Kamala Radha Saraswati Durga
            Mina Rupa Asmita Prakriti Aarati Sarita Susmita Binita Puja Sushma Tika Ganga Yam Dhan Indra Chandra Om
            Nirmala Sangita Srijana Roshani Bimala Tara
            """
        ),
        surnames=words(
            """
            Gurung Rai Limbu Thapa Pun Tamang Magar Ale Rana Ghale Gharti Sherpa Shrestha Chhetri KC Karki Lama Roka
            """
        ),
        concentration=1.0,
        tail_share=0.0,
        new_year=0.06,
        medway=1.8,
        variant_factor=1.4,
        swap_factor=1.6,
        middle_share=0.5,
    ),
    Community(
        key="tamil",
        share=0.005,
        ethnic_category="L",
        men=words(
            """
            Sivakumar Rajan Suthan Kumaran Thayan Ravi Mohan Selvan Ganesh Vijayan Jeyakumar Nimalan Pratheep Suresh
            Kugan Aran Ashwin Kavin Nithin Tharun Arun Senthil Logan Nathan Ramanan Sriskanthan Balakumar Yoganathan
            """
        ),
        women=words(
            """
            Tharshini Sutha Rajani Kala Vani Mathura Nila Selvi Jeya Pushpa Thushara Abirami Kavitha Priya Meera
            Anjali Nithya Yalini Saranya Dharshini Sivakami Rathi Sumathi Vasanthi Gowri Ahalya Thilaga Malar
            """
        ),
        surnames=words(
            """
            Sivakumar Rajah Kandiah Nadarajah Selvarajah Kumar Balasingam Thurairajah Kanagasabai Ponnambalam
            Mahendran
            """
        ),
        stems=words(
            """
            Ampal Arul Bala Chella Gana Guna Ilan Jega Jeya Kana Kathir Kula Logan Maha Mani Maru Nada Naga Nava
            Nithi Para Pathma Ponna Puva Raja Ratna Sabap Saba Sathya Selva Shan Siva Sri Suntha Thamo Thanga Thava
            Thiru Thura Vaith Vara Vela Vicki Vigna Vima Yoga
            """
        ),
        endings=words(
            """
            nathan rajah lingam singam kumar moorthy pillai sundaram ratnam kanthan pathy nayagam rasa mugam
            """
        ),
        concentration=0.4,
        tail_share=0.8,
        medway=1.6,
        variant_factor=2.2,
        swap_factor=3.5,
        middle_share=0.1,
    ),
    Community(
        key="pakistani",
        share=0.01,
        ethnic_category="J",
        men=words(
            """
            Mohammed Muhammad Ali Ahmed Hamza Usman Bilal Imran Asif Tariq Khalid Nadeem Shahid Zahid Abdul Hassan
            Hussain Umar Yusuf Ibrahim Ismail Zain Adnan Faisal Kamran Naveed Rashid Saqib Waqas Waseem Zubair
            Haroon Junaid Kashif Mubashir Rizwan Sajid Shoaib Sohail Yasir Ayaan Musa Isa Rayyan Eesa Zayan Arham
            Ghulam Javed Iqbal Mahmood Pervez
            """
        ),
        women=words(
            """
            Fatima Ayesha Aisha Maryam Zainab Khadija Sana Saima Shazia Nazia Rubina Shabana Nasreen Parveen Yasmin
            Farzana Samina Rukhsana Zahida Robina Tahira Nadia Sadia Hina Iqra Aliza Hafsa Amina Safa Inaya Anaya
            Zara Hania Eshal Noor Bushra Kiran Mehwish Rabia Sidra Uzma Naila Ghazala Nighat Shaheen Tasleem Musarat
            Razia Zubaida Sakina
            """
        ),
        surnames=words(
            """
            Khan Ahmed Hussain Ali Mahmood Iqbal Malik Akhtar Shah Butt Mirza Chaudhry Raja Sheikh Qureshi Bashir
            Rashid Aslam Javed Hanif Anwar Saleem Siddiqui Ashraf Nawaz Latif Bhatti Rafiq Yousaf Zaman Arshad Sadiq
            Rehman Abbasi Awan Baig Dar Farooq Ghani Hashmi Kayani Lodhi Mughal Naqvi Riaz Saeed Tahir Usmani Zaidi
            Younis
            """
        ),
        concentration=1.1,
        tail_share=0.0,
        new_year=0.1,
        deprivation=1.5,
        medway=1.7,
        woman_surnames=("Bibi", "Begum", "Akhtar", "Parveen", "Kausar"),
        woman_surname_share=0.28,
        variant_factor=2.6,
        swap_factor=2.5,
    ),
    Community(
        key="bangladeshi",
        share=0.009,
        ethnic_category="K",
        men=words(
            """
            Mohammed Abdul Md Muhammed Shah Syed Rahim Karim Salam Malik Mannan Khaled Jamal Kamal Rafique Faruk
            Shahin Shamim Ruhul Nurul Anwar Aminul Azizur Habibur Mizanur Motiur Sadikur Shafiqul Tariqul Zakir
            Yusuf Ibrahim Ayaan Adam Zayn Ismail Hamza Sami Tahmid Rayhan Nahid Imran Jubair Ashraf
            """
        ),
        women=words(
            """
            Fatima Ayesha Rahima Rokeya Shirin Nasima Salma Sultana Taslima Rina Shahida Halima Hasina Jahanara
            Khaleda Lutfa Monowara Nazma Nurjahan Parul Rabeya Rezia Sufia Shamima Tahmina Maryam Zara Aisha Inaya
            Safiya Anika Sadia Tanisha Nafisa Sumaiya Jannat Rumana Farhana Afsana
            """
        ),
        surnames=words(
            """
            Begum Miah Ali Uddin Ahmed Rahman Khan Islam Hussain Chowdhury Hoque Choudhury Alam Ullah Haque Hossain
            Kamal Talukder Sarkar Sikder Mia Azad Bari Quddus Jalil Kabir Latif
            """
        ),
        concentration=1.0,
        tail_share=0.0,
        new_year=0.16,
        deprivation=1.7,
        medway=1.6,
        woman_surnames=("Begum", "Khatun", "Bibi", "Akter", "Khanom"),
        woman_surname_share=0.6,
        variant_factor=2.8,
        swap_factor=2.5,
        middle_share=0.35,
    ),
    Community(
        key="chinese_vietnamese",
        share=0.007,
        ethnic_category="R",
        men=words(
            """
            Wei Ming Jun Jian Hao Lei Yang Feng Bo Chun Kai Tao Yong Zhi Cheng Kin Wing Ho Chi Man Tsz Ka Minh Tuan
            Hung Duc Anh Quang Long Nam Jason Kevin Daniel Ryan Ethan Marcus Jackie Tony Raymond Kenneth
            """
        ),
        women=words(
            """
            Mei Ling Xiu Ying Li Fang Yan Hui Min Jing Na Xia Yu Lan Siu Wai Ka Wing Yuk Tsz Lai Hoa Huong Linh Mai
            Ngoc Thu Trang Yen Jenny Emily Michelle Chloe Amy Grace Cindy Vivian Joyce Karen
            """
        ),
        surnames=words(
            """
            Chan Wong Li Chen Wang Nguyen Zhang Lee Liu Cheung Lam Tran Yang Huang Lau Ng Ho Chow Leung Tang Wu Lin
            Cheng Zhao Xu Pham Le Yip Tsang Zhou Sun Ma Zhu Hu Guo He Gao Luo Zheng Liang Fung Kwok Mak Yeung Tse
            Hui Vu Bui Do Hoang
            """
        ),
        concentration=0.85,
        tail_share=0.0,
        deprivation=0.9,
        medway=1.5,
        variant_factor=2.0,
        swap_factor=4.0,
        middle_share=0.35,
    ),
)
