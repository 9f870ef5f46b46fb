"""Common forenames of people in England by sex and birth cohort, most frequent first (written for this generator)."""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.words import words

MALE_BY_COHORT: Final[dict[int, tuple[str, ...]]] = {
    1900: words(
        """
        John William George James Ronald Robert Kenneth Frederick Thomas Albert Eric Edward Arthur Charles Leslie
        Sidney Frank Peter Dennis Joseph Alan Stanley Ernest Harold Norman Raymond Leonard Alfred Harry Donald
        Reginald Roy Derek Henry Geoffrey David Gordon Herbert Walter Cyril Bernard Douglas Victor Gerald Philip
        Michael Ralph Richard Francis Cecil Roland Jack Percy Samuel Edwin Patrick Lawrence Clifford Brian Anthony
        Maurice Wilfred Horace Hubert Stephen Desmond Edgar Basil Lionel Trevor Daniel Christopher Hugh Neville
        Bertram Graham Ivor Keith Andrew Clive Aubrey Terence Rex Laurence Wallace Archibald Colin Alexander Alec
        Stuart Ian Malcolm Barry Noel Godfrey Rodney Roger Jeffrey Paul Gilbert Claude Ivan Cedric Humphrey Mervyn
        Royston Vernon Tony Max Denis Ray
        """
    ),
    1940: words(
        """
        David John Peter Michael Alan Robert Stephen Paul Brian Graham Philip Anthony Colin Christopher Geoffrey
        William James Keith Terence Barry Malcolm Richard Ian Derek Roger Raymond Kenneth Andrew Trevor Martin Kevin
        Ronald Leslie Charles George Thomas Nigel Stuart Edward Gordon Roy Dennis Neil Clive Eric Jeffrey Patrick
        Frank Frederick Mark Timothy Gerald Simon Douglas Rodney Joseph Donald Victor Norman Albert Steven Bernard
        Francis Gary Adrian Alexander Stanley Leonard Russell Howard Maurice Arthur Daniel Jonathan Duncan Lawrence
        Harry Desmond Ernest Hugh Ralph Lee Sidney Vincent Walter Julian Jeremy Nicholas Royston Glyn Reginald
        Alfred Laurence Edwin Allan Bruce Melvyn Gerard Dudley Denis Robin Clifford Ivan Mervyn Guy Glenn Henry
        Stewart Phillip Matthew Garry Rex Tony Leigh Karl Samuel Vernon Marcus Noel Dean Carl Wayne Alec Frances
        Lindsay Giles Max Ricky Warren
        """
    ),
    1965: words(
        """
        Paul David Andrew Stephen Mark Michael Ian Gary Robert Richard Peter John Anthony Christopher Darren Kevin
        Martin Simon Philip Graham Colin Adrian Nigel Alan Neil Steven Jason James Stuart Wayne Lee Jonathan William
        Keith Sean Timothy Nicholas Carl Matthew Dean Craig Daniel Barry Thomas Trevor Scott Brian Justin Kenneth
        Shaun Glenn Karl Jeremy Marc Gareth Tony Raymond Gavin Adam Benjamin Russell Edward Patrick Dominic
        Alexander Duncan Joseph Derek Garry Roger Damian Leon Charles Guy Julian Robin Clive Antony Nathan Dale
        Jeffrey Stewart Geoffrey George Howard Terence Damien Vincent Ross Aaron Malcolm Marcus Bradley Donald Roy
        Grant Leslie Ronald Warren Toby Phillip Jamie Rupert Spencer Lance Roland Darryl Gerard Frank Douglas Giles
        Tim Desmond Ricky Ralph Eric Danny Nick Glen Dennis Hugh Lloyd Mathew Frederick Gordon Alistair Kieran Jon
        Clifford Dwayne Jeff Miles Ashley Barnaby Troy Rodney
        """
    ),
    1980: words(
        """
        Christopher James David Daniel Michael Matthew Andrew Richard Paul Mark Thomas Adam Robert John Lee Benjamin
        Steven Jonathan Craig Stephen Simon Nicholas Peter Anthony Alexander Gary Ian Ryan Darren Barry Stuart Jamie
        Sam Luke Joseph Ashley Scott Aaron William Ben Neil Philip Shaun Martin Ross Sean Gavin Kevin Carl Lewis
        Kieran Nathan Dean Edward Liam Karl Charles Joshua Wayne Alan Samuel Jason Oliver Marc Timothy Graham Kyle
        Gareth Danny Bradley Jack George Antony Damien Dale Jake Patrick Leon Jordan Nicky Jay Russell Dominic Glenn
        Max Josh Terry Duncan Guy Curtis Elliott Ricky Reece Tom Colin Carly Adrian Stewart Marcus Alex Vincent
        Jeremy Brett Connor Stacey Kirk Nigel Justin Trevor Damian Joe Billy Frankie Robin Charlie Phillip Dane
        Garry Lloyd Brian Toby Harry Dwayne Bryan Lance Clint Tony Mathew Shane Stephan Perry Ricki Lawrence Rory
        Declan Tristan Howard Keiron Julian
        """
    ),
    1995: words(
        """
        Jack Thomas James Joshua Daniel Matthew Samuel Callum Ryan Luke Jordan Connor Alexander Joseph Lewis William
        Harry Benjamin George Adam Liam Jake Bradley Michael Oliver Nathan Charlie Aaron Ben Kieran Kyle Christopher
        David Jamie Robert Reece Alfie Louis Dylan Charles Cameron Ashley Max Edward Andrew Mitchell Billy Scott
        Brandon Sam Mason Joe Tyler Owen Elliot Archie Toby Sean Rhys Ethan Dominic Jay Mark John Harrison Declan
        Zak Henry Jacob Curtis Leon Shane Finley Logan Corey Freddie Isaac Riley Morgan Marcus Peter Ellis Jason
        Stephen Richard Josh Paul Tom Patrick Taylor Danny Shaun Nicholas Dean Robbie Frankie Jonathan Zachary
        Spencer Kane Ross Anthony Craig Steven Alex Elliott Kai Evan Gabriel Frederick Lee Bailey Conor Rory
        Sebastian Tommy Bobby Dale Kian Frank Timothy Leo Hayden Jonah Ricky Perry Barney Miles Stuart Dominick
        Jenson Blake Philip Marc Gary Tristan Russell Brett
        """
    ),
    2010: words(
        """
        Oliver George Harry Noah Jack Leo Arthur Oscar Charlie Jacob Thomas Freddie Alfie Theo William Theodore
        Archie Joshua Henry James Lucas Isaac Max Logan Finley Teddy Ethan Riley Reggie Joseph Mason Edward
        Alexander Harrison Tommy Jude Rory Louie Luca Daniel Ronnie Albie Hunter Samuel Frankie Bobby Elijah Ezra
        Jaxon Albert Roman Sebastian Tyler Stanley Dylan Jenson Kai Harvey Reuben Caleb Hugo Toby Ralph Benjamin
        Blake Rowan Finn Frederick Zachary Oakley Adam Michael Liam Jayden Grayson Ollie Ellis Elliot Carter Carson
        Felix Callum Nathan Jesse Robert David Lewis Rex Ryan Austin Ted Bodhi Otis Arlo Eli Sonny Vinnie Jackson
        Connor Kian Barney Ryder Brody Milo Rupert Jasper Gabriel Leon Louis Matthew Billy Aaron Luke Aiden Kayden
        Chester Ivan Aston Asher Enzo Parker Koby Tobias Cody Frank Jake Dexter Ronny Preston Spencer Bradley Buddy
        Raphael Brodie Teddie Kit Tate Harley
        """
    ),
}
"""First birth year of a cohort -> forenames given to boys."""

FEMALE_BY_COHORT: Final[dict[int, tuple[str, ...]]] = {
    1900: words(
        """
        Joan Margaret Mary Doris Joyce Dorothy Kathleen Irene Betty Eileen Edna Barbara Jean Winifred Vera Phyllis
        Hilda Ivy Marjorie Sheila Evelyn Lilian Gladys Elsie Patricia Audrey Elizabeth Muriel Rose Beryl Brenda
        Florence Violet Sylvia Nora Olive Gwendoline Freda Mavis Constance Ethel Daphne Jessie Nellie Alice June
        Connie Peggy Rita Stella Pamela Marion Hazel Annie Ellen Queenie Catherine Edith Frances Grace Enid Peggie
        Marie Thelma Gwen Maureen Molly Shirley Agnes Iris Pauline Lily Ruby Jane Norma Josephine Ada Sarah Helen
        Emily Maud Dora Bridget Mabel Eva Amy Eleanor Ann Hannah Monica Gertrude Madge Ruth Amelia Beatrice Rosemary
        Kitty Daisy Lucy Charlotte Janet Anne Isabel Myra Delia Rosina Ena Yvonne Nancy Christina Avis Bertha Greta
        Dulcie Wendy Cecily Jeanne Esme
        """
    ),
    1940: words(
        """
        Margaret Patricia Christine Susan Jean Ann Jennifer Maureen Sheila Barbara Carol Mary Linda Janet Sandra
        Pauline Elizabeth Shirley Valerie Gillian Brenda Pamela Judith Rosemary Marion Anne Jacqueline Kathleen
        Joyce Helen Joan Sylvia Marilyn Hilary Beryl Wendy Dorothy Julie Carole Diane Lesley Catherine Rita Lynn
        Jane Kathryn Hazel Josephine Angela Denise Eileen Gloria Frances Doreen Irene Veronica Sally Theresa
        Penelope Marie Sarah June Janice Glenys Deborah Heather Elaine Cheryl Yvonne Joy Ruth Norma Joanna Diana
        Georgina Geraldine Vivienne Teresa Lorraine Sharon Rosalind Alison Victoria Maria Bridget Anita Constance
        Jill Eunice Stella Caroline Lynda Marjorie Susanne Freda Kay Doris Edna Lynne Rosalie Celia Felicity Annette
        Bernadette Avril Iris Rosina Gwendoline Audrey Delia Daphne Beverley Karen Thelma Judy Monica Vera Evelyn
        Jeanette Myra Suzanne Nicola Coral Myrtle Sonia
        """
    ),
    1965: words(
        """
        Susan Julie Karen Jacqueline Deborah Tracey Jane Helen Diane Sharon Sarah Nicola Alison Joanne Lisa Michelle
        Tracy Claire Amanda Angela Dawn Samantha Elizabeth Caroline Debra Wendy Louise Lesley Paula Lorraine Sally
        Andrea Anne Sandra Mandy Beverley Catherine Rachel Melanie Teresa Donna Maria Jennifer Rebecca Linda Kim
        Janet Heather Gillian Carol Emma Elaine Jayne Clare Katherine Fiona Tina Marie Denise Victoria Suzanne Ruth
        Lynn Joanna Zoe Theresa Margaret Christine Anita Kerry Rachael Cheryl Annette Mary Lynne Sonia Patricia
        Sophie Lynda Anna Natalie Maxine Penelope Pauline Yvonne Gail Dianne Hazel Janice Justine Lucy Katharine
        Vanessa Marion Philippa Jill Georgina Charlotte Frances Valerie Bridget Barbara Shirley Rosemary Natasha
        Tania Lindsay Jeanette Sheila Debbie Geraldine Carolyn Maureen Bernadette Nina Stephanie Veronica Sian Tanya
        Hilary Josephine Hayley Belinda Stella Leanne
        """
    ),
    1980: words(
        """
        Sarah Laura Gemma Emma Rebecca Claire Victoria Samantha Rachel Amy Jennifer Nicola Katie Lisa Kelly Natalie
        Louise Michelle Hayley Hannah Helen Charlotte Joanne Lucy Elizabeth Leanne Danielle Donna Katherine Clare
        Stephanie Stacey Lauren Jane Kerry Emily Catherine Sophie Anna Jessica Zoe Kirsty Kimberley Kate Jenna
        Caroline Natasha Rachael Amanda Kathryn Karen Alexandra Jodie Alison Sara Jemma Carly Heather Holly Ruth
        Fiona Melissa Angela Suzanne Katy Cheryl Marie Jacqueline Georgina Vicky Lindsey Tracy Melanie Leah Lyndsey
        Naomi Abigail Tara Lindsay Kim Jade Joanna Chloe Susan Francesca Kayleigh Alice Maria Carla Wendy Anne Paula
        Rosie Toni Tina Frances Sally Hollie Martine Nichola Terri Debbie Faye Gillian Lorna Cara Cassandra Bethany
        Rosemary Shelley Stacy Bryony Lynsey Tamsin Ellen Dawn Becky Nina Sharon Christine Kelly-Marie Tanya Justine
        Eleanor Elaine Siobhan Kirsten Robyn Olivia Louisa
        """
    ),
    1995: words(
        """
        Jessica Lauren Rebecca Charlotte Emily Sophie Hannah Amy Megan Chloe Shannon Emma Bethany Lucy Georgia Laura
        Katie Jade Danielle Olivia Abigail Eleanor Rachel Molly Holly Ellie Leah Alice Elizabeth Samantha Grace
        Natasha Sarah Courtney Jennifer Anna Zoe Hollie Natalie Kayleigh Ella Paige Victoria Stephanie Alexandra
        Caitlin Rosie Gemma Erin Isabelle Nicole Demi Louise Amber Harriet Poppy Katherine Phoebe Melissa Kirsty
        Kelly Sian Imogen Francesca Amelia Naomi Eloise Jodie Isabella Ruby Abbie Chelsea Georgina Daisy Mia Lily
        Matilda Lydia Niamh Tia Tegan Evie Freya Nicola Tara Catherine Martha Beth Kate Libby Toni Aimee Skye
        Scarlett Summer Ellen Alicia Faith Robyn Yasmin Keeley Ebony Leanne Ashleigh Florence Rhiannon Morgan
        Heather Stacey Jasmine Sasha Brooke Carly Hayley Lara Maisie Frances Jemma Lois Tamara Cara Bryony Eve
        Madison Kimberley Bronte Billie Mollie Cerys Sadie Tilly Beatrice
        """
    ),
    2010: words(
        """
        Olivia Amelia Isla Ava Mia Ivy Lily Isabella Sophia Rosie Grace Freya Willow Florence Emily Ella Poppy Evie
        Elsie Charlotte Evelyn Sienna Sofia Daisy Phoebe Sophie Alice Harper Matilda Ruby Emilia Maya Millie Esme
        Eva Luna Jessica Maisie Ada Isabelle Aria Mila Bonnie Violet Penelope Thea Arabella Chloe Imogen Eliza Layla
        Erin Orla Robyn Maeve Delilah Aurora Hallie Lottie Nancy Ellie Darcie Scarlett Rose Margot Lola Eleanor
        Summer Mabel Edith Lyla Amber Bella Molly Elizabeth Heidi Harriet Lara Martha Eden Gracie Nevaeh Amelie Lucy
        Abigail Annabelle Hannah Holly Megan Beatrice Skye Autumn Zara Georgia Faith Anna Darcey Darcy Esmae
        Felicity Hazel Iris Zoe Clara Jasmine Myla Lexi Savannah Ottilie Dolly Paisley Nellie Ophelia Winnie Lacey
        Tilly Leah Victoria Francesca Mollie Seren Niamh Ayla Everly Amy Katie Georgina Mya Elodie Connie Rebecca
        Kali Lilly Alba Pippa Tabitha Gabriella Blossom
        """
    ),
}
"""First birth year of a cohort -> forenames given to girls."""

MALE_TAIL: Final = words(
    """
    Alaric Aldous Ambrose Angus Ansel Ari Armani Atticus Augustus Aurelio Bartholomew Beau Benedict Benson Bertie
    Bjorn Blair Bodie Brandon-Lee Bram Brendan Bruno Byron Caden Caelan Caspar Casper Cassius Cillian Clarence Clay
    Clement Cohen Cole Conrad Cooper Corbin Cormac Cosmo Cruz Cuthbert Dallas Damon Dante Darius Darragh Dashiell
    Dawson Denny Dewi Diego Digby Donovan Dougie Drew Dwight Eamon Edgar Edison Eddie Emmanuel Ernie Errol Evander
    Ewan Fabian Fergus Finlay Finnley Fletcher Flynn Forrest Fraser Freddy Gene Gerry Gethin Griffin Gus Hamish
    Harris Hector Heath Hendrix Hudson Huxley Idris Ignatius Indiana Ishmael Jago Jared Jarvis Jaxson Jayce Jaydon
    Jed Jeremiah Jeremy Jermaine Jimmy Joel Joey Johnny Jonny Jonas Jordy Josiah Joss Jules Junior Kaden Kaleb
    Keenan Keiran Kelvin Kenny Kenzo Kingsley Kobe Kyran Lachlan Laurie Leighton Lennie Lennon Lenny Levi Lex
    Lincoln Linus Lochlan Loki Lorcan Lorenzo Louey Lucian Luther Maddox Magnus Malachi Malakai Marley Marlon
    Marshall Marvin Maverick Maximilian Maximus Mickey Montague Monty Morris Myles Nate Ned Nelson Nico Nicolas
    Oakleigh Octavian Ollie-James Orlando Orson Osian Oswald Otto Paddy Pascal Percival Phoenix Pierce Quentin Quinn
    Ramsey Randolph Raife Raymond-Lee Reef Remy Remi Reid Rhett Ricardo Rico Rocco Rocky Roderick Rohan Roly Romeo
    Ronan Rowen Rudy Rufus Sacha Santiago Saul Seamus Seth Silas Soren Stefan Sullivan Tadhg Taylan Teddy-James
    Thaddeus Theodor Tiernan Titus Tobiah Tolly Torin Tre Tyrell Tyrese Tyrone Ulysses Valentine Victor-James Wade
    Wes Wesley Wilbur Wilf Willem Willis Wilson Winston Woody Wyatt Xander Xavier Yorick Zac Zack Zain Zander Zeke
    Zephyr Ziggy Alfie-James Alfie-Lee Archie-James Billy-Joe Bobby-Lee Charlie-George Freddie-Jay Harry-James
    Jack-James Jay-Jay Tommy-Lee Riley-James Reggie-Lee
    """
)
"""Rare forenames given to boys."""

FEMALE_TAIL: Final = words(
    """
    Adelaide Adeline Agatha Aileen Alana Albertine Alessia Alexa Alexia Alma Althea Amara Amaya Anais Anastasia
    Angelica Angelina Annabel Annalise Anoushka Antonia April Arianna Ariella Ariana Artemis Astrid Athena Aubrey
    Audrina Aurelia Avery Ayesha-May Azalea Bea Bethan Betsy Blaire Bluebell Blythe Bobbie Bobbie-Jo Briar Bridie
    Brogan Bronwyn Caitlyn Calla Callie Camilla Candice Caoimhe Carmel Carmen Carrie Carys Cassia Cecelia Cecilia
    Celeste Chanel Chantal Chantelle Charis Charity Charley Charlie-Mae Chelsea-Louise Cheyenne Ciara Clarissa
    Claudette Claudia Clementine Clover Coco Colette Cora Cordelia Corinne Cosima Courtney-Leigh Cressida Crystal
    Dahlia Daniela Daniella Daphne-Rose Demelza Demi-Leigh Desiree Destiny Diadem Dina Dixie Dominique Dorcas Edie
    Effie Eilidh Elena Elisa Elise Elle Ellie-Mae Ellie-May Ellis-Mae Elowen Elspeth Elvira Ember Emmeline Enya
    Esmee Esmeralda Esther Estelle Ethne Etta Eugenie Evangeline Fallon Fearne Fern Fleur Flora Fran Frankie Freja
    Frieda Gaia Gaynor Genevieve Georgie Georgiana Gia Gigi Ginevra Giselle Gracie-Mae Greer Greta-May Guinevere
    Hattie Haven Heidi-Mae Hermione Hester Honey Honor Hope Ida India Indiana Indie Ines Inez Isadora Isobel Izzy
    Jacinta Jada Jazmin Jemima Jenny Jessie-Mae Jocelyn Jolie Jools Journey Juliana Juliet Juliette Juno Kacey Kacie
    Kaitlyn Kara Karina Karla Kaya Kaylee Keira Keisha Kelis Kelsey Kendra Kiera Kiki Kitty-Rose Kourtney Kyla Kylie
    Lana Lacie Larissa Laila-Mae Layla-Mae Leila Lena Leona Leonie Lexie Liberty Lila Lilah Lilith Lilly-Mae
    Lily-Mae Lily-Rose Livia Liza Lois-Mae Lorelei Lorna-Jane Lottie-Mae Louella Lucia Lucinda Lulu Luna-Rose Lyra
    Mackenzie Maddie Maddison Madeleine Madeline Maggie Maia Maisy Malia Mallory Marcella Margaux Mariella Marnie
    Martina Maude May Meadow Melody Mercedes Mercy Meredith Merryn Mika Mila-Rose Milly Mimi Minnie Miranda Miriam
    Mischa Nadia Nadine Nell Nerys Nia Nieve Nola Norah Octavia Odette Oona Oriana Paloma Pandora Patience Patsy
    Pearl Peaches Perdita Persephone Petra Petunia Philomena Pixie Polly Portia Posy Primrose Princess Priscilla
    Prudence Quinn Rachelle Rae Raven Rayne Reese Renee Rhea Rhoda River Rochelle Roisin Romilly Romy Rosa Rosalyn
    Rosanna Roxanne Rowena Ruby-Mae Ruby-Rose Sabine Sabrina Saffron Sage Salome Sapphire Saoirse Sariah Sasha-Mae
    Scarlett-Rose Selena Selina Serena Shania Shanice Shauna Shelby Shiloh Shona Sierra Simone Sinead Star
    Stella-Rose Storm Susannah Suki Sybil Tabatha Tallulah Tamzin Tansy Tatiana Tayla Taylor-Rae Tess Tessa Thalia
    Tianna Tiegan Tiffany Tiana Toria Trixie Trudy Ursula Valentina Valerie-Ann Verity Vienna Viola Virginia Vivian
    Vivien Wanda Waverley Wilhelmina Winona Wren Xanthe Yolanda Zelda Zinnia
    """
)
"""Rare forenames given to girls."""
