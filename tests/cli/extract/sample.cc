#include "tests/cli/extract/sample.h"

#include <cstdlib>
#include <iostream>

#include "common/schema/schema.h"

namespace sluis::cli::testing {

using common::Coarsening;
using common::FieldType;
using common::Normaliser;
using common::PermitField;

common::Permit SamplePermit() {
  common::PermitRegister jobs;
  jobs.name = "jobs";
  jobs.max_records = 1000;
  jobs.match_keys = {"bsn", "birth_sex_postcode"};
  const auto add = [&](const char* name, const char* source, FieldType type, Coarsening coarsening) -> PermitField& {
    PermitField field;
    field.name = name;
    field.source = source;
    field.type = type;
    field.coarsening = coarsening;
    return jobs.fields.emplace_back(field);
  };
  PermitField& age = add("age", "birth_date", FieldType::kCode, Coarsening::kAgeClass);
  age.reference_date = common::FromCivil({2024, 2, 28});
  age.age_bounds = {0, 15, 25, 45, 65};
  age.codes = common::AgeClassCodes(age.age_bounds);
  add("sex", "sex", FieldType::kCode, Coarsening::kNone).codes = {"F", "M"};
  PermitField& region = add("region", "postcode", FieldType::kCode, Coarsening::kPrefix);
  region.prefix_length = 2;
  region.codes = {"10", "12", "99"};
  PermitField& origin = add("origin", "country", FieldType::kCode, Coarsening::kCodeList);
  origin.code_list = "codes/origin.csv";
  origin.codes = {"NL", "TR", "OTHER"};
  PermitField& wage = add("wage", "wage", FieldType::kInteger, Coarsening::kRoundDown);
  wage.round_to = 1000;
  wage.minimum = -1'000'000;
  wage.maximum = 100'000'000;
  wage.unit = "cent/month";
  PermitField& hours = add("hours", "hours", FieldType::kInteger, Coarsening::kNone);
  hours.minimum = 0;
  hours.maximum = 100;
  add("start_month", "start", FieldType::kDate, Coarsening::kTruncateMonth);
  add("start_year", "start", FieldType::kDate, Coarsening::kTruncateYear);
  add("start_day", "start", FieldType::kDate, Coarsening::kNone);
  add("employer", "employer", FieldType::kToken, Coarsening::kToken);

  common::Permit permit;
  permit.registers = {jobs};
  permit.match_keys = {
      {"bsn", "identifiers", {{"bsn", Normaliser::kBsn}}},
      {"birth_sex_postcode",
       "match-keys",
       {{"birth_date", Normaliser::kDate}, {"sex", Normaliser::kSex}, {"postcode", Normaliser::kPostcode6}}}};
  return permit;
}

std::string SampleSchema() {
  return R"(
fields:
  - {name: bsn, x-role: identifier, x-check: elfproef, constraints: {maxLength: 12}}
  - {name: geboren, x-field: birth_date, x-role: quasi, type: date, format: "%Y%m%d", x-partial-dates: true,
     constraints: {required: true, minimum: "19000101"}}
  - {name: geslacht, x-field: sex, x-role: quasi, constraints: {enum: [M, F, U]}}
  - {name: postcode, x-role: quasi, constraints: {pattern: "[0-9]{4} ?[A-Z]{2}"}}
  - {name: land, x-field: country, x-role: attribute, constraints: {minLength: 2}}
  - {name: loon, x-field: wage, x-role: weight, type: number, x-scale: 2, decimalChar: ",", groupChar: ".",
     constraints: {maximum: 500000}}
  - {name: uren, x-field: hours, x-role: attribute, type: integer}
  - {name: start, x-role: time, type: date, x-partial-dates: true}
  - {name: werkgever, x-field: employer, x-role: attribute}
  - {name: opmerking, x-role: ignore}
)";
}

CodeLists SampleCodeLists() {
  return {{"codes/origin.csv", *ParseCodeList("from,to\nNederland,NL\nTurkije,TR\n\"Antillen, oud\",OTHER\n")}};
}

std::shared_ptr<const ExtractPlan> SamplePlan(const std::string& schema) {
  auto parsed = common::Schema::Parse(schema.empty() ? SampleSchema() : schema);
  if (!parsed.ok()) {
    std::cerr << parsed.status() << "\n";
    std::abort();
  }
  auto plan = ExtractPlan::Make(*std::move(parsed), SamplePermit(), "jobs", SampleCodeLists());
  if (!plan.ok()) {
    std::cerr << plan.status() << "\n";
    std::abort();
  }
  return *plan;
}

}  // namespace sluis::cli::testing
