"""Short and pet forms, and spellings of one name: each group is one name's forms, the first the most formal."""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.words import groups

SHORT_FORMS: Final = {
    forms[0]: forms[1:]
    for forms in groups(
        """
    Robert Bob Rob Bobby Robbie|William Bill Will Billy Willie Liam|Richard Rick Dick Rich Ricky
    Michael Mike Mick Mickey|James Jim Jamie Jimmy|John Jack Johnny|Thomas Tom Tommy|Charles Charlie Chas Chuck
    Edward Ted Ed Eddie Ned|Anthony Tony Ant|Andrew Andy Drew|Christopher Chris Kit|Daniel Dan Danny
    David Dave Davey|Matthew Matt|Stephen Steve|Steven Steve|Nicholas Nick Nicky|Benjamin Ben Benny|Samuel Sam Sammy
    Alexander Alex Sandy Xander|Joseph Joe Joey|Joshua Josh|Jonathan Jon Jonny|Peter Pete|Philip Phil Pip
    Phillip Phil|Kenneth Ken Kenny|Ronald Ron Ronnie|Donald Don Donny|Raymond Ray|Leonard Len Lenny
    Albert Bert Al Albie|Alfred Alf Alfie Fred|Frederick Fred Freddie Freddy|George Georgie|Gerald Gerry
    Geoffrey Geoff|Jeffrey Jeff|Gregory Greg|Terence Terry|Timothy Tim|Patrick Pat Paddy|Lawrence Larry Laurie
    Francis Frank|Harold Harry|Henry Harry Hal|Walter Wally Walt|Sidney Sid|Stanley Stan|Reginald Reg Reggie
    Arthur Art Archie|Leslie Les|Norman Norm|Victor Vic|Vincent Vince|Douglas Doug|Derek Del|Desmond Des|Dennis Den
    Ernest Ernie|Herbert Bert Herb|Bernard Bernie|Clifford Cliff|Theodore Theo Teddy|Maximilian Max|Sebastian Seb
    Dominic Dom|Zachary Zac Zak|Nathaniel Nathan Nat|Cameron Cam|Frederic Fred|Archibald Archie|Russell Russ
    Stuart Stu|Stewart Stu|Graham Gray|Malcolm Mal|Trevor Trev|Bradley Brad|Mitchell Mitch|Oliver Ollie Olly
    Harrison Harry|Elizabeth Liz Beth Lizzie Betty Eliza Libby Lisa|Margaret Maggie Meg Peggy Marge Rita
    Catherine Cathy Kate Katie Kath|Katherine Kathy Kate Katie Kat|Kathleen Kath Kathy|Kathryn Kath Kate
    Susan Sue Susie|Suzanne Sue|Patricia Pat Trish Patsy Tricia|Jennifer Jenny Jen|Christine Chris Chrissie
    Deborah Debbie Deb|Debra Debbie|Barbara Barb Babs|Dorothy Dot Dottie|Jacqueline Jackie|Judith Judy|Pamela Pam
    Sandra Sandy|Valerie Val|Victoria Vicky Vicki Tori|Rebecca Becky Becca|Samantha Sam|Alexandra Alex Sandra Lexi
    Stephanie Steph|Nicola Nicky Nikki|Jessica Jess Jessie|Abigail Abi Abbie|Amanda Mandy|Angela Angie
    Caroline Carol|Charlotte Lottie Charlie|Danielle Dani|Eleanor Ellie Nell|Emily Em Emmy|Florence Flo Florrie
    Frances Fran|Francesca Fran Frankie|Gillian Gill Jill|Georgina Georgie Gina|Hannah Han|Harriet Hattie
    Isabella Bella Izzy|Isabelle Belle Izzy|Joanne Jo|Josephine Jo Josie|Kimberley Kim|Lesley Les
    Lillian Lily|Lucinda Lucy|Madeleine Maddie|Matilda Tilly|Millicent Millie|Natalie Nat|Natasha Tasha
    Olivia Liv Livvy|Penelope Penny|Philippa Pippa|Rachel Rach|Rosemary Rosie Rose|Sarah Sally|Sophie Soph
    Teresa Terry Tess|Theresa Tess Terri|Veronica Ronnie|Winifred Winnie Freda|Yvonne Von|Bethany Beth|Gemma Gem
    Megan Meg|Melanie Mel|Melissa Mel|Michelle Shell|Annabelle Bella Annie|Amelia Millie Amy|Beatrice Bea
    Bernadette Bernie|Beverley Bev|Constance Connie|Edith Edie|Evelyn Evie|Gwendoline Gwen|Mohammed Mo|Mohammad Mo
    Muhammad Mo|Abdul Ab|Manpreet Manny|Harpreet Harry|Jaswinder Jas|Jasbir Jas|Rajinder Raj|Rajesh Raj
    Sukhwinder Sukhi|Balwinder Bal|Kuldeep Kully|Aleksandra Ola Alex|Katarzyna Kasia Kate|Malgorzata Gosia Margaret
    Agnieszka Aga Agnes|Krzysztof Krzys Chris|Tomasz Tomek Thomas|Piotr Piotrek Peter|Pawel Paul|Andrzej Andrew
    Grzegorz Greg|Magdalena Magda|Stanislaw Staszek Stan|Jan John|Gheorghe George|Ion John|Alexandru Alex
    Mihai Michael|Oluwaseun Seun|Oluwatobi Tobi|Oluwafemi Femi|Olufunke Funke|Babatunde Tunde|Chukwuemeka Emeka
    Chidinma Chichi|Temitope Temi
        """
    )
}
"""Formal forename -> its short forms."""

SPELLINGS: Final = groups(
    """
    Mohammed Muhammad Mohammad Mohamed Muhammed Mohamad|Hussain Hussein Husain Hossain|Ahmed Ahmad
    Chowdhury Choudhury Chaudhry Choudhry Chaudhary|Rehman Rahman|Sheikh Shaikh|Miah Mia|Uddin Udin|Khatun Khatoon
    Akhtar Akter|Sayed Syed|Yousaf Yusuf Yousuf|Usman Osman Uthman|Umar Omar|Aisha Ayesha Aysha
    Fatima Fathima Fatema|Khadija Khadijah|Zainab Zaynab|Mariam Maryam Mariyam|Hassan Hasan|Abdullah Abdallah
    Ibrahim Ebrahim|Ismail Esmail|Haroon Harun|Kaur Kour|Singh Sing|Gurpreet Gurprit|Amandeep Amandip|Sandeep Sandip
    Patel Patell|Sharma Sarma|Krishnan Krisnan|Gurung Grung|Thapa Thapha|Tamang Taman|Stephen Steven
    Catherine Katherine Kathryn Katharine|Sara Sarah|Ann Anne|Geoffrey Jeffrey|Philip Phillip|Alan Allan Allen
    Claire Clare|Lynn Lynne|Teresa Theresa|Tracey Tracy|Lesley Leslie|Brian Bryan|Graham Graeme|Sean Shaun Shawn
    Marc Mark|Nicola Nichola|Rachel Rachael|Lyndsey Lindsey Lindsay|Kayleigh Kayley Kaylee|Leah Lea
    Isobel Isabel Isabelle|Sophia Sofia|Zoe Zoey|Maisie Maisy|Jon John|Conor Connor|Callum Calum|Dylan Dillon
    Kieran Keiran|Finley Finlay|Jaxon Jaxson|Louis Lewis|Elliot Elliott Eliot|Aidan Aiden|Mathew Matthew|Niamh Neve
    Keira Kiera|Abbie Abby Abi|Ellie Elly|Lily Lilly Lillie|Clark Clarke|Brown Browne|Green Greene|Reed Reid Read
    Stevens Stephens|Philips Phillips|Davis Davies|Johnson Johnston|Thomson Thompson|Nichols Nicholls
    Wilkins Wilkens|Shepherd Sheppard Shepard|Brooks Brookes|Cook Cooke|Gray Grey|Harding Hardinge
    Osborne Osborn Osbourne|Payne Paine|Pearce Pierce Pearse|Parrott Parrot|Rogers Rodgers|White Whyte
    Whittaker Whitaker|Matthews Mathews|McDonald Macdonald|Mckenzie Mackenzie|Mclean Maclean|Elliott Elliot
    Barnett Barnet|Hewitt Hewett|Hayes Hays|Lee Leigh|Moore More|Marshall Marshal|Bailey Bayley|Burgess Burges
    Dixon Dickson|Fisher Fischer|Wyatt Wiatt|Bennett Bennet|Tailor Taylor|Oluwaseun Oluwasheun|Adebayo Adebayor
    Okonkwo Okonkwor|Chukwu Chuku|Nguyen Nguyn|Tran Chan|Li Lee|Wang Wong|Zhang Cheung|Chen Chan|Huang Wong|Liu Lau
    Kowalski Kowalsky|Wisniewski Wisniewsky|Krzysztof Kristof|Aleksandra Alexandra|Aleksander Alexander
    Wiktoria Victoria|Katarzyna Katarina|Zuzanna Susanna|Popescu Popesku|Ionescu Ionesco|Stefan Stephan
    Mihail Mikhail|Dmitri Dmitry Dimitri|Sergei Sergey|Yulia Julia|Natalia Nataliya|Tatiana Tatyana
    Oleksandr Alexander|Tesfaye Tesfay|Haile Hailay|Mulugeta Mulugheta|Tsegaye Tsegay|Abebe Abeba|Yohannes Yohanes
    Karim Kareem|Rahim Raheem|Noor Nur|Jamal Gamal|Khalid Khaled
    Lukasz Łukasz|Pawel Paweł|Michal Michał|Malgorzata Małgorzata|Dabrowski Dąbrowski|Wojcik Wójcik|Wozniak Woźniak
    Krol Król|Gorski Górski|Chloe Chloë|Renee Renée|Sinead Sinéad|Sian Siân|Andre André|Jose José
    Zsofia Zsófia|Istvan István|Laszlo László
    """
)
"""Groups of spellings of one name, as transliteration and hearing produce them."""
