#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/world.h"

namespace sluis::testing {

// What a custodian knows of one register, and nobody else may: the extract in every form that it has on its way.
struct CustodianView {
  std::string name;
  std::string text;                  // the file, decompressed
  std::set<std::string> values;      // fields of six bytes and more, as they stand in the file
  std::set<std::string> neighbours;  // two fields side by side with the delimiter between, for those that are shorter
  std::vector<std::string> rows;     // attributes of each record, coarsened and encoded, as they are before sealing;
                                     // tokens, whose key is random, are left out
  std::set<std::string> row_parts;   // the rows, and what of them has six bytes and more
  std::set<std::string> inputs;      // normalised match keys, and the group elements that they are hashed to
  std::map<std::string, int> record_of_person;  // pseudonym of the BSN -> record, for people with one record only
};

// The five registers of a country in `directory` of the world, which must be stopped: the pseudonyms are computed with
// the key holder's key. Fails the test if anything cannot be read.
std::vector<CustodianView> ReadCustodians(const World& world, const std::string& directory);

}  // namespace sluis::testing
