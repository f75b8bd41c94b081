#include "linker/encode/field_names.h"

#include <gtest/gtest.h>

namespace sluis::linker {
namespace {

TEST(IsAddressName, KnowsTheWordsOfSixLanguagesHoweverJoined) {
  for (const char* name :
       {"address",      "address_1",   "HomeAddress", "street",        "street_number", "StreetName",   "house",
        "house_number", "houseNumber", "houseno",     "postcode",      "post_code_zip", "PostalCode",   "postal_code",
        "zip",          "ZIP",         "zip_code",    "zipcode",       "city",          "City",         "town",
        "village",      "suburb",      "state",       "region",        "county",        "municipality", "apt",
        "flat",         "locality",    "residence",   "latitude",      "adres",         "straat",       "straatnaam",
        "huisnummer",   "huisnr",      "woonplaats",  "plaats",        "gemeente",      "gemeentecode", "provincie",
        "wijk",         "buurt",       "strasse",     "Hausnummer",    "PLZ",           "plz",          "ort",
        "Wohnort",      "stadt",       "bundesland",  "postleitzahl",  "adresse",       "rue",          "ville",
        "commune",      "departement", "calle",       "ciudad",        "provincia",     "via",          "citta",
        "comune",       "indirizzo",   "cap",         "current_place", "addr2"}) {
    EXPECT_TRUE(IsAddressName(name)) << name;
  }
}

TEST(IsAddressName, LeavesWhatAPersonKeeps) {
  for (const char* name :
       {"", "given_name", "surname", "voornaam", "achternaam", "nachname", "prenom", "birth_date", "date_of_birth",
        "geboortedatum", "geburtsdatum", "sex", "gender", "geslacht", "phone", "nationality", "income", "occupation",
        "religion", "bsn",
        // Where somebody was born stays, and so does what is no address at all.
        "birth_place", "BirthPlace", "place_of_birth", "city_of_birth", "born_in_city", "geboorteplaats",
        "geboortegemeente", "geburtsort", "ville_naissance", "lugar_ciudad_nacimiento", "marital_state", "civil_state",
        "burgerlijke_staat", "email_address", "mailaddress", "e_mail_address",
        // Words that only hold another.
        "capacity", "statement", "import", "cohort", "viability", "placebo"}) {
    EXPECT_FALSE(IsAddressName(name)) << name;
  }
}

}  // namespace
}  // namespace sluis::linker
