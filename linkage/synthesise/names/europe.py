"""Irish, Traveller and eastern European communities: forenames and surnames written for this generator, most
frequent first.
"""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.community import Community
from linkage.synthesise.names.words import words

COMMUNITIES: Final[tuple[Community, ...]] = (
    Community(
        key="irish",
        share=0.008,
        ethnic_category="B",
        men=words(
            """
            Patrick Michael John Sean Liam Kevin Brendan Declan Conor Eoin Padraig Seamus Daniel Thomas James Martin
            Eamon Cormac Dermot Finbar Gerard Kieran Niall Oisin Ronan Rory Tadhg Aidan Cathal Colm Diarmuid Donal
            Fergal
            """
        ),
        women=words(
            """
            Mary Bridget Kathleen Margaret Siobhan Sinead Aoife Niamh Ciara Roisin Orla Maeve Grainne Deirdre Eileen
            Noreen Breda Una Aisling Caoimhe Fionnuala Mairead Nuala Sheila Bernadette Geraldine Teresa Anne Eithne
            Saoirse
            """
        ),
        surnames=words(
            """
            Murphy Kelly Sullivan Walsh Smith O'Brien Byrne Ryan O'Connor O'Neill O'Reilly Doyle McCarthy Gallagher
            Doherty Kennedy Lynch Murray Quinn Moore McLoughlin Carroll Connolly Daly Connell Wilson Dunne Brennan
            Burke Collins Campbell Clarke Johnston Hughes Farrell Fitzgerald Brown Martin Maguire Nolan Flynn
            Thompson Callaghan O'Donnell Duffy Mahony Boyle Healy Shea White Sweeney Hayes Kavanagh Power McGrath
            Moran Brady Stewart Casey Foley
            """
        ),
        concentration=0.7,
        tail_share=0.0,
        middle_share=0.6,
    ),
    Community(
        key="traveller",
        share=0.006,
        ethnic_category="C",
        men=words(
            """
            John James Thomas William Patrick Michael Joe Levi Henry Tommy Jimmy Johnny Billy Danny Nelson Elias
            Noah Moses Jasper Riley Miley Paddy Martin Charles Edward Amos Alfie Sonny Frankie Lias
            """
        ),
        women=words(
            """
            Mary Margaret Kathleen Bridget Rose Annie Elizabeth Britannia Charmaine Violet Cinderella Ocean Rosie
            Shania Chantelle Crystal Kizzy Lena Winnie Julie Ann Nora Theresa Ellen Missie Priscilla Lavinia
            Cheyenne Savannah Ruby
            """
        ),
        surnames=words(
            """
            Smith Lee Cooper Penfold Ripley Brazil Ward Connors McDonagh Stanley Buckland Webb Scamp Eastwood Beaney
            """
        ),
        concentration=0.9,
        tail_share=0.0,
        deprivation=3.0,
        medway=0.6,
    ),
    Community(
        key="polish",
        share=0.018,
        ethnic_category="C",
        men=words(
            """
            Piotr Krzysztof Tomasz Andrzej Pawel Marcin Michal Marek Grzegorz Jan Lukasz Mateusz Adam Jakub Wojciech
            Robert Dariusz Mariusz Kamil Dawid Rafal Artur Maciej Sebastian Jacek Slawomir Przemyslaw Bartosz Szymon
            Filip Antoni Aleksander Mikolaj Kacper Oliwier Wiktor Stanislaw Zbigniew Jerzy Janusz Ryszard Henryk
            Kazimierz Radoslaw Damian Patryk Hubert Igor Oskar Leon Alan Fabian Nikodem Konrad Daniel Karol Norbert
            Zdzislaw Tadeusz Ireneusz
            """
        ),
        women=words(
            """
            Anna Katarzyna Agnieszka Malgorzata Magdalena Monika Joanna Ewa Beata Aleksandra Karolina Natalia Dorota
            Justyna Marta Sylwia Renata Barbara Iwona Paulina Edyta Aneta Izabela Kinga Julia Zuzanna Maja Zofia
            Hanna Lena Alicja Oliwia Amelia Wiktoria Weronika Patrycja Kamila Dominika Ewelina Jolanta Elzbieta
            Danuta Halina Krystyna Teresa Grazyna Bozena Urszula Emilia Nikola Maria Antonina Pola Laura Gabriela
            Klaudia Angelika Milena Daria Marlena
            """
        ),
        surnames=words(
            """
            Nowak Kowalski Wisniewski Wojcik Kowalczyk Kaminski Lewandowski Zielinski Szymanski Wozniak Dabrowski
            Kozlowski Jankowski Mazur Kwiatkowski Wojciechowski Krawczyk Kaczmarek Piotrowski Grabowski Zajac
            Pawlowski Michalski Krol Wieczorek Jablonski Wrobel Nowakowski Majewski Olszewski Stepien Malinowski
            Jaworski Adamczyk Dudek Nowicki Pawlak Gorski Witkowski Walczak Sikora Baran Rutkowski Michalak Szewczyk
            Ostrowski Tomaszewski Pietrzak Marciniak Wroblewski Zalewski Jakubowski Jasinski Zawadzki Sadowski Bak
            Chmielewski Wlodarczyk Borkowski Czarnecki Sawicki Sokolowski Urbanski Kubiak Maciejewski Szczepanski
            Kucharski Wilk Kalinowski Lis Mazurek Wysocki Adamski Kazmierczak Wasilewski Sobczak Czerwinski
            Andrzejewski Cieslak Glowacki Zakrzewski Kolodziej Sikorski Krajewski Gajewski
            """
        ),
        stems=words(
            """
            Bal Ban Bar Bed Biel Bor Boro Brzo Buk Chmiel Cies Cyb Czar Dab Dobr Dom Drag Drzew Fal Gaj Gal Glo Gni
            Gol Gor Gra Gro Jab Jan Jar Jas Jaw Kal Kam Kar Kas Kat Kob Kol Kon Kop Kor Kos Kra Kro Kru Krz Kuk Kul
            Lat Laz Les Lip Lub Mac Mal Mar Mat Maz Mic Mie Mil Mir Mro Muc Ole Ols Orl Ost Paw Pie Pil Pio Plo Pod
            Pol Prus Prz Rad Raj Rog Rom Rud Rus Rut Ryb Sad Sam Sie Sko Slo Smo Sob Sok Sta Sto Stu Syl Szul Tar
            Tom Tre Tur Urb Wal War Was Wes Wit Woj
            """
        ),
        endings=words("owski ewski inski icki ecki anski czyk czak owicz ak ek iak arz ik ala ura usz ial"),
        concentration=0.5,
        tail_share=0.45,
        deprivation=1.6,
        gendered_endings=(("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")),
        variant_factor=1.5,
        swap_factor=1.3,
        middle_share=0.15,
    ),
    Community(
        key="romanian_bulgarian",
        share=0.022,
        ethnic_category="C",
        men=words(
            """
            Alexandru Andrei Mihai Ionut Adrian Florin Marian Gheorghe Ion Vasile Constantin Cristian Daniel Nicolae
            Gabriel Catalin Bogdan Marius Stefan George Razvan Cosmin Dumitru Viorel Sorin Radu Lucian Valentin
            Ovidiu Costel Petru David Luca Matei Darius Robert Denis Georgi Ivan Dimitar Nikolay Petar Hristo Todor
            Stoyan Vasil Plamen Krasimir Emil Rumen Yordan Martin Kaloyan Boris Tsvetan Mitko Samuel Rares Eduard
            Vlad
            """
        ),
        women=words(
            """
            Maria Elena Ana Ioana Mihaela Andreea Alexandra Cristina Daniela Gabriela Adriana Florentina Simona
            Georgiana Nicoleta Alina Roxana Monica Mariana Raluca Diana Anca Larisa Denisa Sofia Antonia Daria Eva
            Stefania Bianca Loredana Petronela Valentina Viorica Rodica Lenuta Carmen Iulia Oana Camelia Ivanka
            Desislava Gergana Mariya Elitsa Nadezhda Rositsa Silviya Tsvetelina Viktoriya Kristina Teodora Radostina
            Galina Yana Emilia Mirela Narcisa Izabela Lavinia
            """
        ),
        surnames=words(
            """
            Popa Popescu Ionescu Radu Stan Dumitru Stoica Gheorghe Matei Ciobanu Rusu Munteanu Serban Lazar Florea
            Constantin Marin Dinu Nistor Tudor Ungureanu Moldovan Dobre Barbu Ilie Mihai Voicu Cojocaru Sandu Vasile
            Toma Neagu Dragomir Balan Preda Oprea Nita Manole Stanciu Dumitrescu Georgescu Diaconu Lungu Anghel
            Nicolae Muresan Olteanu Coman Ivanov Georgiev Dimitrov Petrov Nikolov Hristov Stoyanov Todorov Iliev
            Vasilev Angelov Atanasov Petkov Yordanov Marinov
            """
        ),
        stems=words(
            """
            Ant Ard Avr Bab Balt Ban Bas Bec Boj Bord Brat Bud Bur Cal Can Cap Car Cer Chir Cio Coj Cor Cost Crac
            Cris Dam Dan Dob Drag Dum Enach Fil Flor Gav Ghit Grig Har Ior Istr Jian Laz Lup Mac Man Marc Mic Mih
            Mir Mit Mol Mun Nag Neag Neg Nic Oan Olar Pan Pasc Petr Pin Pop Rad Rot Sav Sim Sor Stan Stef Tan Tar
            Tat Tud Tur Urs Vas Vlad Zah
            """
        ),
        endings=words("escu eanu aru oiu iciu ache ila ea iu anu utiu an ova ov ev eva"),
        concentration=0.7,
        tail_share=0.35,
        deprivation=2.0,
        medway=1.2,
        variant_factor=1.5,
        swap_factor=1.6,
    ),
    Community(
        key="baltic_slav",
        share=0.009,
        ethnic_category="C",
        men=words(
            """
            Tomas Mindaugas Darius Andrius Vytautas Jonas Mantas Lukas Marius Juris Janis Andris Aleksandr Sergei
            Dmitri Oleksandr Andrii Mykola Volodymyr Yurii Ivan Maksym Artem Bohdan Peter Jozef Milan Martin Marek
            Zoltan Laszlo Istvan Gabor Tamas Attila Miklos Matus Patrik Kristian Rolands Edgars Raimonds Arturs
            Vladislav Pavel Viktor Igor
            """
        ),
        women=words(
            """
            Ruta Egle Rasa Jurgita Inga Kristina Lina Daiva Laura Gabija Inese Ilze Liga Olga Natalia Tatiana
            Svetlana Yulia Oksana Olena Iryna Kateryna Anastasiia Daryna Zuzana Jana Lucia Katarina Veronika Eszter
            Katalin Erzsebet Ildiko Andrea Monika Agnes Timea Nikoletta Marta Sofia Yeva Solomiia Ganna Larysa Vilma
            Aiste
            """
        ),
        surnames=words(
            """
            Kazlauskas Jankauskas Petrauskas Stankevicius Butkus Balciunas Berzins Kalnins Ozols Ivanov Petrov
            Shevchenko Kovalenko Bondarenko Tkachenko Kravchenko Melnyk Boyko Kovalchuk Horvath Kovac Varga Toth
            Nagy Szabo Kiss Molnar Nemeth Farkas Balogh Lakatos Novak Balaz Gabor Danko Horvat Olah Puska
            """
        ),
        stems=words(
            """
            Aleks Andr Ant Bal Bart Bog Bor Dan Dem Dom Dov Fed Gal Gav Gerb Grig Hav Hon Iv Jak Jur Kar Kaz Kir
            Klim Kost Kuz Lev Luk Lys Mak Mart Mat Mel Mich Naz Nov Ost Pal Pav Petr Pon Rim Rom Ros Sav Sem Sid Sim
            Stan Step Tar Tim Tom Urb Vas Vit Vol Yak Zak Zal Zin
            """
        ),
        endings=words("enko chuk yshyn auskas evicius ins ovic ov ev ik uk yak aitis onis ar er as"),
        concentration=0.6,
        tail_share=0.5,
        deprivation=1.8,
        variant_factor=1.6,
        swap_factor=1.4,
        middle_share=0.1,
    ),
)
