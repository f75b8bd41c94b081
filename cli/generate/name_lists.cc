#include "cli/generate/name_lists.h"

namespace sluis::cli {

const std::array<NameLists, kOrigins - 1> kNameLists = {{
    // Netherlands
    {"de Jong,Jansen,de Vries,Bakker,Janssen,Visser,Smit,Meijer,de Boer,Mulder,de Groot,Bos,Vos,Peters,Hendriks,"
     "Dekker,Brouwer,de Wit,Dijkstra,Smits,de Graaf,van Leeuwen,Kok,Jacobs,de Haan,Vermeulen,Schouten,Willems,"
     "Hoekstra,Koster,Verhoeven,Prins,Huisman,Peeters,Kuipers,Veenstra,Kuiper,Kramer,Scholten,Post,Postma,Martens,"
     "Maas,Vink,Timmermans,Groen,Gerritsen,Jonker,Wolters,Mol,Driessen,Molenaar,Hermans,Roos,Blom,Evers,Sanders,"
     "Hofman,Boersma,Kooiman,Cornelissen,Zijlstra,Bouwman,Goossens,Geerts,Schippers,Wiersma,Coenen,Bergsma,"
     "Terpstra,Reinders,Aarts,Blok,Haverkamp,Knol,Lubbers,Nijland,Oosterling,Rademaker,Snijders,Tuinstra,Wagenaar",
     "Jan,Daan,Pieter,Sem,Willem,Lucas,Hendrik,Bram,Cornelis,Thijs,Johannes,Finn,Kees,Ruben,Gerrit,Lars,Dirk,Tim,"
     "Maarten,Jeroen,Bas,Sander,Wouter,Joost,Koen,Rik,Stijn,Floris,Sjoerd,Teun,Matthijs,René",
     "Maria,Anna,Emma,Johanna,Sophie,Cornelia,Julia,Elisabeth,Lotte,Saskia,Femke,Marieke,Sanne,Eva,Willemijn,"
     "Annelies,Fleur,Iris,Ilse,Lieke,Marloes,Noor,Roos,Tessa,Wilma,Yvonne,Hanneke,Zoë,Renée,Daniëlle,Britt,Jantje"},
    // Europe
    {"Kowalska,Nowak,Kowalski,Wiśniewski,Müller,Schmidt,Wójcik,Kamiński,Lewandowski,Zieliński,Schneider,Fischer,"
     "Weber,Popescu,Ionescu,Ivanov,Petrov,Dimitrov,Georgiev,Smith,Jones,Taylor,Rossi,Russo,Ferrari,García,"
     "Fernández,López,Martínez,Dubois,Lefèvre,Moreau,Silva,Santos,Ferreira,Papadopoulos,Nagy,Kovács,Szabó,"
     "Shevchenko,Kovalenko,Bondarenko,Hodžić,Begović,Jovanović,Novák,Dvořák,Łuczak,Dąbrowski,Kaczmarek,Jabłoński",
     "Piotr,Krzysztof,Andrzej,Tomasz,Michał,Stefan,Klaus,Jürgen,Andrei,Ion,Georgi,Dimitar,James,David,Marco,"
     "Giuseppe,José,Carlos,Pierre,Jean,João,Paulo,Nikos,László,Oleksandr,Emir,Marko,Jiří,Łukasz,Zbigniew",
     "Anna,Katarzyna,Małgorzata,Agnieszka,Zofia,Claudia,Ursula,Elena,Ioana,Maria,Desislava,Emily,Sarah,Giulia,"
     "Francesca,Carmen,Lucía,Claire,Amélie,Inês,Beatriz,Eleni,Éva,Oksana,Olena,Amra,Jelena,Tereza,Bożena,Joanna"},
    // Turkey
    {"Yılmaz,Kaya,Demir,Çelik,Şahin,Yıldız,Yıldırım,Öztürk,Aydın,Özdemir,Arslan,Doğan,Kılıç,Aslan,Çetin,Kara,Koç,"
     "Kurt,Özkan,Şimşek,Polat,Korkmaz,Erdoğan,Güneş,Aksoy,Bulut,Çakır,Karataş,Türkmen,Ünal,Tekin,Avcı,Uçar,Bozkurt",
     "Mehmet,Mustafa,Ahmet,Ali,Hüseyin,Hasan,İbrahim,Murat,Ömer,Yusuf,Emre,Burak,Kemal,Serkan,Fatih,Volkan,Osman,"
     "Süleyman,Cem,Umut,Kerem,Deniz",
     "Fatma,Ayşe,Emine,Hatice,Zeynep,Elif,Meryem,Özlem,Gülay,Sevgi,Derya,Esra,Büşra,Merve,Selin,Yasemin,Nurcan,"
     "Songül,Tuğba,Hülya,Defne,Ebru"},
    // Morocco
    {"El Idrissi,Bouzid,Amrani,El Amrani,Benali,Alaoui,Azzouzi,El Khattabi,Chakir,Bouali,Ouali,Haddou,El Ouahabi,"
     "Ben Moussa,Aissati,Boukhari,Daoudi,El Hamdaoui,Fassi,Ghazi,Hamidi,Jabri,Kaddouri,Lahlou,Mansouri,Naji,"
     "Ouazzani,Rachidi,Saidi,Tahiri,Yacoubi,Ziani,El Bakkali,Bensaid",
     "Mohamed,Ahmed,Youssef,Hassan,Rachid,Said,Khalid,Omar,Bilal,Ilias,Anouar,Karim,Mustapha,Abdelkader,Hamza,"
     "Soufiane,Nabil,Jamal,Driss,Reda,Imad,Ayoub",
     "Fatima,Khadija,Naima,Samira,Malika,Yasmina,Salma,Hanane,Loubna,Nadia,Imane,Siham,Rachida,Soumaya,Zineb,"
     "Ikram,Houda,Karima,Latifa,Hafida,Chaimae,Meryem"},
    // Suriname
    {"Ramdin,Kisoen,Mohan,Singh,Ramautar,Jagroep,Sewnarain,Bisesar,Gopal,Ramlal,Pinas,Wijngaarde,Vrede,Kartodikromo,"
     "Soekardjo,Sastro,Landveld,Blokland,Tjon A Tsoi,Lieuw,Bhagwandin,Chin A Sen,Doekhi,Emanuels,Fernandes,"
     "Hoost,Jubitana,Karijodinomo,Leeflang,Mahabir,Naipal,Oemrawsingh,Pengel,Rellum,Sheombar",
     "Rakesh,Anil,Dennis,Roy,Winston,Sunil,Ashwin,Humphrey,Kenneth,Ravi,Stanley,Vinod,Iwan,Marciano,Clyde,Dewan,"
     "Errol,Gerald,Henk,Jerrel",
     "Sharita,Anita,Mavis,Wonny,Sunita,Radha,Astrid,Ingrid,Priya,Chandra,Muriel,Lilian,Soewarni,Indra,Gladys,"
     "Denise,Shanti,Ruth,Yvette,Usha"},
    // Dutch Caribbean
    {"Martina,Maduro,Croes,Winklaar,Isenia,Rosalia,Felicia,Cijntje,Tromp,Wever,Kock,Thode,Geerman,Ras,Hooi,Nicolina,"
     "Pieters Kwiers,Sambo,Zimmerman,Richardson,Arrindell,Lake,Gumbs,Statia,Janga,Koeiman,Lourens,Mercelina,"
     "Obispo,Provence,Rojer,Schoop,Tecla,Balentin",
     "Jurandy,Angelo,Shurandy,Edwin,Rudolf,Gerson,Ruthmar,Juan,Etienne,Xavier,Ludwin,Mario,Rignald,Elton,Hensley,"
     "Quincy,Jairzinho,Raymundo",
     "Maritza,Shudeska,Solange,Angelique,Rosita,Ludmila,Zuleika,Giselle,Arelis,Chantal,Mayra,Rishandra,Eugenia,"
     "Judeska,Nilda,Sharine,Xiomara,Gwendolyn"},
    // Indonesia
    {"Tan,Liem,Oei,Kwee,Pattiasina,Manuhutu,Latumahina,Sahetapy,Tahapary,Leatemia,Siahaya,Pattipeilohy,Wijaya,"
     "Santoso,Hartono,Sutanto,de Rooy,Boon,van der Capellen,Kuhn,Schenk,Portier,Nanlohy,Matulessy,Supusepa,Ririhena,"
     "Halim,Kusuma,Setiawan,The",
     "Budi,Agus,Frits,Rudy,Johan,Ferry,Hendra,Eddy,Robby,Domingus,Zeth,Jopie,Otto,Bambang,Harry,Erik,Yohanis,Max",
     "Dewi,Sri,Lestari,Wilhelmina,Louise,Non,Ratna,Yulia,Ingeborg,Sientje,Fientje,Christina,Adriana,Tjitske,Kartini,"
     "Mientje,Ika,Rini"},
    // Africa
    {"Mohamed,Hassan,Abdi,Ali,Osman,Tesfay,Gebremedhin,Haile,Tekle,Berhane,Mensah,Owusu,Boateng,Osei,Appiah,Tavares,"
     "Lopes,Monteiro,Ibrahim,Abdelrahman,Okafor,Adeyemi,Okoye,Botha,Nkosi,Mbala,Ilunga,Kabongo,Warsame,Farah,"
     "Yohannes,Woldu,Asante,Traoré,Diallo,Koné",
     "Ahmed,Abdullahi,Mohamed,Samuel,Yonas,Filmon,Kwame,Kofi,Emmanuel,Carlos,Mahmoud,Chinedu,Tunde,Pieter,Joseph,"
     "Patrick,Robel,Daniel,Hamza,Abraham,Ismail,Moussa",
     "Fatuma,Hodan,Amina,Selam,Rahel,Helen,Akosua,Abena,Grace,Maria,Nour,Ngozi,Blessing,Thandi,Esther,Chantal,Saba,"
     "Feven,Halima,Ayaan,Comfort,Aïcha"},
    // Asia
    {"Al Ahmad,Al Hassan,Haddad,Khalil,Al Masri,Nguyen,Tran,Le,Wang,Li,Zhang,Chen,Liu,Kumar,Sharma,Patel,Gupta,"
     "Ahmadi,Rahimi,Hosseini,Mohammadi,Karimi,Noori,Khan,Hussain,Al Jabouri,Al Tamimi,Reyes,Santos,Wong,Chan,Suzuki,"
     "Sato,Srisuk,Yousef,Darwish,Al Sayed,Barakat,Safi,Stanikzai",
     "Mohammad,Ahmad,Omar,Khaled,Mahmoud,Wei,Jun,Hao,Rahul,Amit,Arjun,Reza,Ali,Mehdi,Hamid,Najib,Imran,Minh,Tuan,"
     "Kenji,Hussein,Bashar,Yasin,Farid",
     "Fatima,Rania,Nour,Layla,Hala,Li,Mei,Xiu,Priya,Anjali,Deepa,Zahra,Maryam,Parisa,Shabnam,Farida,Linh,Thu,Yuki,"
     "Maricel,Siriporn,Rima,Samar,Ayesha"},
    // America and Oceania
    {"da Silva,Oliveira,Souza,Johnson,Williams,Brown,Miller,Davis,Rodríguez,González,Gómez,Pérez,Ramírez,Díaz,Castro,"
     "Rojas,Vargas,Quispe,Tremblay,Wilson,Campbell,Anderson,Persaud,Núñez,Peña,Marte,Salazar,Mendoza,Araújo,Romero",
     "João,Lucas,Rafael,John,Michael,Robert,Juan,Luis,Diego,Jorge,Andrés,Ryan,Liam,Pedro,Thiago,Carlos,Matías,Kevin,"
     "Ethan,Nicolás",
     "Ana,Juliana,Camila,Jennifer,Jessica,Ashley,María,Luz,Valentina,Paola,Daniela,Emily,Olivia,Rosa,Yolanda,Sofía,"
     "Gabriela,Lauren,Chloe,Fernanda"},
}};

const std::string_view kDutchPrefixes = "van den,van der,van de,van,van 't,ten,ter,de";
const std::string_view kDutchPlaces =
    "Berg,Heuvel,Meer,Linden,Brink,Veen,Velde,Broek,Wal,Laan,Hoek,Horst,Hoeven,Molen,Pol,Ven,Weide,Wijk,Zande,Kamp,"
    "Poel,Sluis,Burg,Bosch,Haar,Ploeg,Kolk,Dam";
const std::string_view kDutchFirstParts =
    "Wester,Ooster,Noorder,Zuider,Hoog,Linde,Water,Molen,Kerk,Zand,Heide,Groote,Nieuwe,Elzen,Eiken,Veld,Roose,Brouwers";
const std::string_view kDutchSecondParts =
    "hof,hoff,kamp,huis,man,veld,horst,broek,berg,dijk,meijer,stra,ink,boer,haven";

const std::string_view kStreetFirstParts =
    "Dorps,Kerk,School,Molen,Linden,Eiken,Beuken,Kastanje,Wilhelmina,Juliana,Beatrix,Oranje,Nassau,Rembrandt,Vondel,"
    "Spinoza,Station,Haven,Markt,Burgemeester Visser,Prins Hendrik,Tulpen,Rozen,Meidoorn,Vlinder,Ooievaar,Zwaluw,"
    "Brug,Singel,Industrie,Sluis,Polder,Gracht,Noorder,Zuider";
const std::string_view kStreetSecondParts = "straat,laan,weg,plein,hof,kade,dreef,pad";

}  // namespace sluis::cli
