#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/permit/permit.h"
#include "disclosure/perturb/method.h"

// A table request in memory. Its document (proto/sluis/disclosure/v1/table_request.proto, written as YAML) is read by
// disclosure/server/request_document; disclosure/table/plan checks it against the permit.
//
// A variable has a *scope*: the register whose rows it describes. An `input` is either a field, written
// "register.field", or the name of a variable declared earlier; the scope of a variable is that of its inputs, except
// that summaries of rows describe persons. A missing value of a code is the code "_U".

namespace sluis::disclosure {

// Rows of a register that hold on a date: start <= date <= end. A missing end: still running. A missing start: not.
struct SpellFilter {
  std::string start{}, end{};  // date fields of the register
  common::Day date = 0;
};

// The field as it stands.
struct FieldValue {
  std::string input{};
};

// What the rows say that the linkage found to belong to a person, optionally only those that hold on a date.
struct RowSummary {
  enum class Kind {
    kAny,    // code "yes" or "no"
    kCount,  // number of rows
    kSum,    // of `field`; missing values count as 0
  };
  std::string register_name{};
  Kind kind = Kind::kAny;
  std::string field{};  // kSum: an integer field
  std::optional<SpellFilter> covering{};
};

// The code of one row of a person: the latest by `date_field`, or the highest in the order of the permit's codes.
struct EventCode {
  enum class Pick { kLatest, kHighest };
  std::string register_name{};
  std::string field{};       // a code field; rows where it is missing are passed over
  std::string date_field{};  // rows where it is missing are passed over; may be empty for kHighest without `until`
  Pick pick = Pick::kLatest;
  std::optional<common::Day> until{};  // only rows on or before this date
  std::string none{};                  // code of a person without such a row; empty: "_U"
};

// Class of the completed age on a date; codes as common::AgeClassCodes makes them. Born after the date: "_U".
struct AgeClass {
  std::string input{};  // a date of birth
  common::Day reference_date = 0;
  std::vector<int> bounds{};  // lower bounds in years, ascending, the first is 0
};

// The last band whose lower bound is not above the integer.
struct Banding {
  struct Band {
    std::string code{};
    std::optional<std::int64_t> at_least{};  // ascending; absent in the first band only, which has no lower bound
  };
  std::string input{};
  std::vector<Band> bands{};
};

// Codes of the input looked up in an attachment of the permit (CSV with header from,to).
struct CodeMapping {
  std::string input{};
  std::string code_list{};
  std::string other{};  // code of those that are not listed; empty: every code of the input must be listed
};

// Country (group) of origin by the CBS classification of 2022: the own country of birth if not `home`; else that of the
// mother if known and not `home`; else that of the father. Own country unknown, or needed parent unknown: `unknown`.
// A person born at home whose mother was born there, or is unknown, thus has the father's country, and `unknown` if
// that is not known either. Source: CBS, Statistische Trends 2022, the new classification by origin.
struct Origin2022 {
  std::string own{}, mother{}, father{};  // inputs: codes
  std::string home{};                     // code of the country itself, such as "NLD"
  std::string unknown{};                  // code of an unknown country, in inputs and result; empty: "_U"
};

// The other half of that classification. With parents: "1a" born at home with no parent born abroad, "1b" one, "1c"
// two; "2a", "2b", "2c" the same for those born abroad; "1" and "2" where a parent's country is unknown. Without
// parents: "1" and "2". Own country unknown: `unknown`.
struct BornIn {
  std::string own{};
  std::string mother{}, father{};  // both or none
  std::string home{};
  std::string unknown{};
};

struct DerivedVariable {
  std::string name{};  // [a-z][a-z0-9_]{0,62}
  std::variant<FieldValue, RowSummary, EventCode, AgeClass, Banding, CodeMapping, Origin2022, BornIn> rule{};
};

// Persons (or rows) whose variable has one of the codes; a code may be an inner node of the dimension's hierarchy.
struct PopulationTerm {
  std::string dimension{};  // as in TableDimension
  std::string variable{};
  std::vector<std::string> codes{};
  std::string hierarchy{};  // as in TableDimension
};

struct TableDimension {
  std::string dimension{};  // a dimension of the permit
  std::string variable{};   // what fills it; all its source fields must be among those that the permit names there
  std::string hierarchy{};  // one of the permit's groupings for the dimension; empty: its first hierarchy
};

struct TableMeasure {
  std::string measure{};                  // a measure of the permit
  std::optional<SpellFilter> covering{};  // sums: only rows of the field's register that hold on the date
  // The token field that groups contributions: of the sum's register; of the backbone if persons are counted, for
  // instance their household. Empty: the register's token field, if it has one. A request cannot do without holdings
  // where the register has them.
  std::string holding{};
  std::string method = kSuppressionMethod;  // or the name of one of the rule set's; the same in all tables
};

struct TableSpec {
  std::string name{};                        // [a-z][a-z0-9_]{0,62}
  std::vector<PopulationTerm> population{};  // all must hold
  std::vector<TableDimension> dimensions{};  // 1 .. 8
  std::vector<TableMeasure> measures{};      // 1 .. all that the permit has
};

// How many records of a register the linkage found on the backbone; optionally by a variable of that register itself.
struct LinkageRateSpec {
  std::string register_name{};
  std::optional<TableDimension> by{};
};

struct TableRequest {
  std::string id{};  // [a-z][a-z0-9-]{0,62}
  std::string permit_id{};
  std::string purpose{};   // free text, at most 2,000 bytes; logged
  std::string link_set{};  // "latest" or the id of a link set
  std::vector<DerivedVariable> variables{};
  std::vector<TableSpec> tables{};
  std::vector<LinkageRateSpec> linkage_rates{};
  std::string rule_set{};               // must be the permit's
  std::vector<std::string> replaces{};  // releases of the permit that this one corrects
};

}  // namespace sluis::disclosure
