"""Surnames of people in England: the common ones in order of frequency, and a long tail put together from place-name
parts.

The list was written for this generator; the tail's surnames are combinations, of which many are borne by nobody.
"""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names.words import words

COMMON: Final = words(
    """
    Smith Jones Taylor Brown Williams Wilson Johnson Davies Evans Thomas Roberts Walker Wright Robinson Thompson
    White Hughes Edwards Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Cooper Morris Ward
    Moore Baker Harrison King Morgan Lee Allen James Phillips Scott Watson Davis Parker Bennett Price Griffiths
    Young Cook Mitchell Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Marshall Simpson Anderson
    Richards Adams Wilkinson Foster Ellis Chapman Webb Mason Hunt Gibson Rogers Mills Campbell Matthews Palmer
    Holmes Lloyd Powell Stevens Knight Barker Butler Russell Fisher Harvey Dixon Pearson Graham Fletcher Howard
    Murray Andrews Elliott Reynolds Payne Barnes Stewart Fox Ford Pearce Day Brooks West Lawrence Cole Atkinson
    Bradley Spencer Gill Dawson Watts Burton Wells Stone Hart Francis Perry Newman Booth Rose Hudson Armstrong Walsh
    Webster Hayes Grant Carr Ryan Gordon Dean Hawkins Woods Cunningham Nicholson Hamilton Rees Kelly Reid Lane Berry
    Jordan Warren Oliver Johnston Bishop Boyd Hopkins Holland Jenkins Porter Ross Henderson Black Burns Kennedy
    McDonald Tucker Nash Robertson Alexander Austin Potter Crawford Woodward Gardner Gregory Arnold Lynch Doyle Long
    Bird Fuller Harper Freeman Pritchard Owen Bryant Coleman Higgins Barrett Page Cross Sutton Lowe Curtis Dunn
    Stephens Read Hodgson Reeves Lambert Bates Osborne Parsons Kemp Field Peters Woodcock Gibbs Frost Saunders Bull
    Goodwin Hicks Banks Kent Hammond Carpenter Wade Norris Ball Townsend Pratt Ingram Moss Burgess Weston Cooke
    Terry Hobbs Norman Bond Baxter Sharp Dale Allan Cameron Sanders Buckley Barton Hewitt Winter Willis Preston
    Summers Holt French Fitzgerald Rowe Skinner Kirby Todd Sims Little Horton Slater Doherty Sheppard Wallace Swift
    Barlow Walton Howe Bush Flynn Bolton Hooper Flower May Brookes Potts Dyer Chambers Park Morton Short Heath Lord
    Nixon Goddard Hancock Vaughan Goodman Tyler Griffin Vincent Mann Wheeler Franklin Byrne Thornton Pope Finch
    Steele Warner Savage Fowler Akhurst Bowen Daniels Humphreys Haynes Charlton Rhodes Blake Gilbert Stokes Benson
    Welch Leach Faulkner Hardy Giles Conway Marsh Nelson Manning Houghton Sutherland Bowden Hutchinson Whitehead
    Bartlett Patterson Davidson Tomlinson Lawson Hopper Lyons Wyatt Farrell Birch Coates Kirk Iqbal Ashton Gough
    Humphrey Storey Hale Connor Dodd Parry Naylor Middleton Peacock Joyce Bright Godfrey Sweeney Poole Fleming Lamb
    Everett Hilton Wilkins Cartwright Chandler Whittaker Yates Gallagher Reed Randall Donnelly Perkins Ferguson
    Myers Noble Forster Garner Briggs Bevan Stanley Daly Sinclair Carroll Fraser Duffy Cullen Stevenson Wilkes Hyde
    Sheldon Parkinson Wiggins Duncan O'Connor Connolly Blackburn Holloway Power McCarthy Joseph Bentley Barry
    Nicholls Parkin Rowley Clayton Barber Lucas Hurst Allison Atkins Waters Brennan Hartley Mellor Talbot Marsden
    Abbott Ashworth Whitehouse Dobson Bourne Nolan Burrows Burke Haines Kerr Henry Sykes Jarvis Rice Hargreaves
    Thorpe Metcalfe Bradshaw Gray Sharpe Mcgrath Farmer Webber Shepherd Hodges Weaver Bray Chadwick Wall Foley
    Howell Dickinson Wheatley Hollis Boyle Gilmore Tait Riley Glover Reeve Whelan Pugh Watkins Barnett Kay Jennings
    Christie Barron Hunter Gardiner Rowland Craig Milne Sparks Crane Cain Hull Hope Stubbs Maguire Rawlings
    Partridge Bains Goodall Hogan Muir Lester Davey Broad Lockwood Stephenson Haywood Vickers Greenwood Hussey Beck
    Lang Bullock Blackwell Wilcox Law Osborn Nunn Norton Schofield Drew Emery Beaumont Ramsey Crowther Hadley Rudd
    Sargent Crook Cotton Hayward Woodhouse Cooksey Carey Tanner Ellison Monk Denton Costello Bassett Prince Fry
    Whitfield Moran Cassidy Conroy Dawes Adamson Hood Bowers Eaton Singleton Ridley Dunne Callaghan Melville
    Aldridge Millar Rigby Shields Cope Sewell Wren Fielding Philpott Wills Ratcliffe Sanderson Langley Burt Cornwell
    Pollard Hills Tate Gibbons Swann Brady Dodds Childs Nicol Blair Laing Mace Bacon Pike Kane Kenny Wise Love Lacey
    Compton Tilley Whiting Pryor Ware Hadfield Nightingale Cummings Pemberton Livingstone Driver Stringer Steel
    Langford Holman Mead Stafford Wicks Collier Hirst Sadler Bowman Chamberlain Corbett Gregson Greaves Leonard
    Mather Best Gale Leigh Squires Beech Cowan Rooney Firth Dent Daniel Spence Mclean Prior Cowley Gleeson Quinn
    Fenton Moon Rushton Fawcett Jeffery Beattie Worthington Ainsworth Yeomans Batchelor Winterbottom Binns Rowlands
    Lees Cousins Barratt Ogden Madden Tierney Welsh Oakley Hutton Corcoran Hickey Curry Aston Dalton O'Sullivan
    Wiltshire Doran Swain Judd Scully Tobin Thurston Waller Neal Alderson Dawe Garrett Hines Major Mullins Goldsmith
    Wardle Mayes Horn Cobb Bedford Hampton Buckingham Dickson Rolfe Penfold Pocock Fagg Hogben Hollands Goodhew
    Boorman Coomber Wickham Wickens Relf Gower Hubble Ovenden Filmer Huckstep Kingsnorth Luckhurst Honess Stapley
    Apps Wratten Tassell Akehurst Fissenden Gosling Moat Clout Fairbrass Hambrook Clinch Wraight Epps Butcher Swaine
    Jessup Larkin Olive Crouch Brenchley Ashdown Tapsell Hoad Weller Waghorn Wigg Baldock Maynard Terrell Sedge
    Ludlow Castle Croucher Quested Amos Barden Beeching Bodiam Bonner Boulter Bratton Buss Chantler Cheeseman
    Chittenden Colegate Couchman Cramp Dadson Diprose Ditton Eldridge Farley Featherstone Fowle Fright Friend Gilham
    Goldsack Goodsell Hadlow Harden Head Hinkley Hodge Homewood Honey Hopgood Igglesden Jarrett Kemsley Kitney
    Langridge Latham Lefevre Loveday Lilley Mackelden Mannering Mantle Maxted Mepham Millen Munn Norley Offen
    Packham Paine Pankhurst Pattenden Peckham Philpot Pilcher Pinnock Pettit Punyer Ratcliff Rigden Sandford Seager
    Shilling Skeet Solley Spice Spain Standen Stedman Stickells Stroud Swaffer Tolhurst Town Tress Twyman Uden
    Verrall Wanstall Weekes Whibley Wildish Winch Wiles Wybourn Yeoman Mckenzie Mackenzie Macdonald Mcintyre
    Mcgregor Mclaughlin Mckay Mackay Mcmillan Mcintosh Mcdermott Mcnally Mcguire Mccann Mckenna Mccabe Mcallister
    Mcbride Mcmahon Mccormack Maclean Macleod Paterson Ritchie Drummond Buchanan Forbes Gillespie Galloway Guthrie
    Kerrigan Logan Lindsay Lockhart Maxwell Melrose Menzies Moffat Monaghan Munro Nairn Ogilvie Pringle Rankin
    Rennie Ronaldson Rutherford Selkirk Tennant Urquhart Weir Wishart O'Neill O'Brien O'Reilly Keane Keating Kearney
    Keenan Kavanagh Halloran Healy Hegarty Hennessy Houlihan Hurley Lennon Leary Mahoney Malone Mcnamara Molloy
    Moloney Mooney Moriarty Mulligan Mulcahy Murtagh Nugent Phelan Quigley Rafferty Redmond Regan Roche Rourke
    Sheehan Sheridan Slattery Tully Twomey Whyte Bowes Braithwaite Capstick Clegg Cleary Crabtree Dewhurst Duckworth
    Entwistle Fairhurst Garside Haworth Heaton Hesketh Hindle Horrocks Kershaw Lomax Nuttall Openshaw Ormerod
    Pilkington Pickles Ramsbottom Sagar Sugden Sutcliffe Threlfall Thwaites Unsworth Varley Wadsworth Waddington
    Walmsley Whalley Woolley Beddows Bebb Bowyer Breeze Cadwallader Ellwood Gittins Gwilliam Howells Ifans Jeavons
    Llewellyn Maddox Mainwaring Meredith Onions Pardoe Passey Prosser Probert Preece Pugsley Rhys Tudor Vaughn Wynne
    Yardley Angove Bolitho Boase Chegwin Curnow Hocking Jago Kitto Laity Nance Pascoe Pengelly Penrose Polglase
    Rosewarne Spargo Tregenza Trelawny Tremayne Trevithick Trewin Trudgian Uren Vivian Warne
    """
)
"""Most frequent first; local (Kentish) surnames are part of it."""

PLACE_STEMS: Final = words(
    """
    Ab Acker Adder Ald Aller Al Amber Apple Arle Arn Ash Aske Aspin Atter Ayle Bad Bain Bal Bam Bar Bark Barn Bass
    Bat Bay Beck Bed Beer Bel Ben Bent Ber Bew Bick Bid Bil Bin Bird Black Blan Blen Bod Bol Bon Bos Bough Boy Brack
    Brad Bram Brand Bray Breck Bren Bright Brock Brom Brough Brun Buck Bul Bur Burn But Cal Can Car Cas Cat Caw Chal
    Char Chat Ched Chel Chet Chid Chil Chip Cran Cray Cred Crom Crow Cud Cul Dag Dal Dar Daw Deep Den Der Dil Ding
    Dod Don Dor Drake Drax Dun Dur Dux East Eccle Edge Eg El Elm Em Ever Fair Fal Far Fen Fer Fin Fish Flax Flet
    Flint Fold Forn Foul Fox Frith Ful Gad Gar Gat Gil Glass Good Gos Gran Gray Gren Grim Gun Had Hain Hal Ham Han
    Har Harp Hart Has Hat Hather Haver Hawk Hay Haz Heath Hem Hen Her Hex Hey High Hil Hind Hitch Hock Hol Hor Hough
    Hun Hur Hux Ick Il Ing Ink Kel Kemp Ken Ket Kil Kim King Kir Kit Knap Lack Lad Lam Lang Lap Lath Law Led Lem Len
    Lid Lil Lin Lit Lock Long Lop Lox Lud Lul Lyd Lyn Mal Man Mar Mas May Mel Men Mere Mid Mil Min Mit Mor Mos Mul
    Mut Nap Nas Net New Nor Nun Oak Od Ol Or Os Ot Over Ox Pack Pad Pan Par Pat Pem Pen Pick Pil Pin Pock Pol Pop
    Por Pres Quen Rad Rains Ram Ran Raven Rawl Red Rem Ren Ret Ric Rid Ring Rip Rock Rod Rol Rom Ros Rough Row Rud
    Rum Rush Ruth Ryl Sal San Sax Sed Sel Sen Shad Shal Shel Sher Ship Shot Shrop Sid Sil Sin Skel Sme South Spar
    Stain Stal Stam Stan Staple Star Sted Stil Stock Stod Strat Sud Sun Sut Swan Swin Tad Tal Tam Tar Tat Ten Tet
    Thack Thirl Thorn Thrap Thur Til Tin Tod Tol Tor Tot Tres Tun Tur Twi Ul Up Ux Wad Wain Wal Wan War Wat Waver
    Wel Wen Wes Wet Whal Wheat Whit Wick Wid Wil Win Wis With Wol Wood Wor Wrex Wy Yal Yar Yel
    """
)

PLACE_ENDINGS: Final = words(
    """
    ton ley ford ham field worth well bourne den hurst stead wick by don land wood more combe bury bridge son man
    sall side gate shaw croft cott dale head hill house ington ingham ling low mere mond nell nett nall over pole
    ridge rick row sey set sford sham shire sley stone stow sworth thorpe thwaite tree wall ward water way ways wen
    win wold worthy wyn ams ard arch back beck berry borough brook burn ck cliffe daway dell eland enden er ern
    erson eth ett ey fold forth garth grave ick ing is kin lake lock loe may nor rell ren sby sden stan tage ter tle
    wicke yard
    """
)

TAIL_SIZE: Final = 36_000
"""Surnames in the tail: 428,000 health records show some 48,000 different surnames, with foreign and misspelt ones."""
