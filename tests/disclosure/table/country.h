#pragma once

#include <bit>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/permit/permit.h"
#include "disclosure/table/columns.h"
#include "disclosure/table/request.h"

// A small country for tests of tabulation: a permit with four registers, and their rows.

namespace sluis::disclosure::testing {

using common::FieldType;
using common::Permit;
using common::PermitField;
using common::PermitRegister;

inline PermitField CodeField(std::string name, std::vector<std::string> codes) {
  PermitField field;
  field.name = std::move(name);
  field.codes = std::move(codes);
  return field;
}
inline PermitField Field(std::string name, FieldType type) {
  PermitField field;
  field.name = std::move(name);
  field.type = type;
  if (type == FieldType::kInteger) field.minimum = 0;
  return field;
}

inline const std::vector<std::string>& Countries() {
  static const std::vector<std::string> codes = {"NLD", "TUR", "MAR", "UNK"};
  return codes;
}

inline Permit CountryPermit() {
  Permit permit;
  permit.id = "integration";
  permit.rule_set = "rules.yaml";
  PermitRegister persons;
  persons.name = "persons";
  persons.backbone = true;
  persons.fields = {CodeField("sex", {"F", "M"}),     Field("birth", FieldType::kDate),
                    CodeField("own", Countries()),    CodeField("mother", Countries()),
                    CodeField("father", Countries()), Field("rooms", FieldType::kInteger)};
  PermitRegister jobs;
  jobs.name = "jobs";
  jobs.many_per_person = true;
  jobs.fields = {Field("start", FieldType::kDate), Field("end", FieldType::kDate), Field("wage", FieldType::kInteger),
                 Field("employer", FieldType::kToken)};
  PermitRegister benefits;
  benefits.name = "benefits";
  benefits.fields = {CodeField("born", Countries())};
  PermitRegister diplomas;
  diplomas.name = "diplomas";
  diplomas.many_per_person = true;
  diplomas.fields = {CodeField("level", {"1", "2", "3"}), Field("date", FieldType::kDate)};
  permit.registers = {persons, jobs, benefits, diplomas};
  permit.dimensions = {
      {.name = "sex", .hierarchy = "sex.csv", .fields = {"persons.sex"}},
      {.name = "origin",
       .hierarchy = "origin.csv",
       .fields = {"persons.own", "persons.mother", "persons.father", "benefits.born"}},
      {.name = "age", .hierarchy = "age.csv", .fields = {"persons.birth"}},
      {.name = "work", .hierarchy = "work.csv", .fields = {"jobs.start", "jobs.end"}},
      {.name = "level", .hierarchy = "level.csv", .fields = {"diplomas.level", "diplomas.date"}},
  };
  permit.measures = {{.name = "people", .field = "", .unit = "persons"},
                     {.name = "wages", .field = "jobs.wage", .unit = "EUR/month"}};
  return permit;
}

inline std::map<std::string, std::string> CountryAttachments() {
  return {
      {"sex.csv", "code,parent,label\nT,,Total\nF,T,Women\nM,T,Men\n"},
      {"origin.csv",
       "code,parent,label\nTOT,,Total\nNLD,TOT,Netherlands\nXNL,TOT,Abroad\nTUR,XNL,Turkey\nMAR,XNL,Morocco\n"
       "UNK,TOT,Unknown\n_U,TOT,Missing\n"},
      {"age.csv", "code,parent,label\nT,,Total\nY0-14,T,0-14\nW,T,15 and over\nY15-64,W,15-64\nY_GE65,W,65+\n_U,T,?\n"},
      {"work.csv", "code,parent,label\nT,,Total\nyes,T,In paid work\nno,T,Not in paid work\n"},
      {"level.csv", "code,parent,label\nT,,Total\nlow,T,Low\nhigh,T,High\nnone,T,None\n_U,T,Missing\n"},
      {"level_map.csv", "from,to\n1,low\n2,low\n3,high\n"},
  };
}

// Builds opened rows byte by byte, as the sealing side lays them out.
class RowBytes {
 public:
  RowBytes& Code(std::uint16_t v) { return Append(v); }
  RowBytes& Date(std::int32_t v) { return Append(v); }
  RowBytes& Integer(std::int64_t v) { return Append(v); }
  RowBytes& Token(std::uint64_t v) { return Append(v); }
  const std::string& bytes() const { return bytes_; }

 private:
  template <typename T>
  RowBytes& Append(T v) {
    bytes_.append(reinterpret_cast<const char*>(&v), sizeof v);
    return *this;
  }
  std::string bytes_;
};

inline DerivedVariable Variable(
    std::string name,
    std::variant<FieldValue, RowSummary, EventCode, AgeClass, Banding, CodeMapping, Origin2022, BornIn> rule) {
  return {.name = std::move(name), .rule = std::move(rule)};
}

// Persons by sex and origin in the whole country, and the sum of their wages on 1 July 2024.
inline TableRequest CountryRequest() {
  TableRequest request;
  request.id = "work-by-origin";
  request.permit_id = "integration";
  request.purpose = "Monitoring integration";
  request.link_set = "latest";
  request.rule_set = "rules.yaml";
  const SpellFilter july = {.start = "start", .end = "end", .date = common::FromCivil({2024, 7, 1})};
  request.variables = {
      Variable("sex", FieldValue{.input = "persons.sex"}),
      Variable("origin", Origin2022{.own = "persons.own",
                                    .mother = "persons.mother",
                                    .father = "persons.father",
                                    .home = "NLD",
                                    .unknown = "UNK"}),
      Variable(
          "age",
          AgeClass{.input = "persons.birth", .reference_date = common::FromCivil({2024, 7, 1}), .bounds = {0, 15, 65}}),
      Variable("work", RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kAny, .covering = july}),
      Variable("born", FieldValue{.input = "benefits.born"}),
  };
  request.tables = {{.name = "work",
                     .dimensions = {{"sex", "sex"}, {"origin", "origin"}},
                     .measures = {{.measure = "people"}, {.measure = "wages", .covering = july}}}};
  return request;
}

}  // namespace sluis::disclosure::testing
