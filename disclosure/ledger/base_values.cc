#include "disclosure/ledger/base_values.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/attachment_csv.h"

namespace sluis::disclosure {
namespace {

using common::Coarsening;
using common::Day;
using common::FieldType;
using common::PermitField;

// Ends a value, so that no value is the beginning of another; nothing that a schema lets through has it.
constexpr char kEnd = '\x1f';

std::string Whole(const std::string& code) { return code + kEnd; }

ValueSet Missing() { return {.codes = {kMissingValue}}; }

std::size_t CountCharacters(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Days of birth of those who have completed `from` years of age on `on`, and not `to` (-1: no limit).
BaseRange BirthsOf(int from, int to, Day on) {
  // The first day of birth on which somebody has not completed `years` on `on`.
  const auto first_below = [on](int years) {
    const common::CivilDate day = common::ToCivil(on);
    Day birth = common::FromCivil({day.year - years, day.month, 1}) - 1;
    while (birth <= on && common::AgeInYears(birth, on) >= years) ++birth;
    return static_cast<std::int64_t>(birth);
  };
  return {to < 0 ? kLowest : first_below(to), from == 0 ? std::int64_t{on} + 1 : first_below(from)};
}

// Sets of days of birth by age class, and of those who are in none.
void SetAgeClasses(const std::vector<int>& bounds, Day on, BaseValues& out) {
  out.codes.clear();
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const int to = i + 1 < bounds.size() ? bounds[i + 1] : -1;
    out.codes.push_back({.ranges = {BirthsOf(bounds[i], to, on)}});
  }
  out.missing.ranges.push_back({std::int64_t{on} + 1, kHighest});
}

void SetBands(const std::vector<Banding::Band>& bands, BaseValues& out) {
  out.codes.clear();
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const std::int64_t from = bands[i].at_least.value_or(kLowest);
    out.codes.push_back({.ranges = {{from, i + 1 < bands.size() ? *bands[i + 1].at_least : kHighest}}});
  }
}

std::string SourceOf(const PermitField& field) { return field.source.empty() ? field.name : field.source; }

class Tracer {
 public:
  Tracer(const TablePlan& plan, const common::Permit& permit, const std::map<std::string, std::string>& attachments)
      : plan_(plan), permit_(permit), attachments_(attachments) {}

  absl::StatusOr<std::vector<BaseValues>> Run() {
    for (const PlannedVariable& variable : plan_.variables) {
      BaseValues values;
      const absl::Status traced =
          std::visit([&](const auto& rule) { return Trace(rule, variable, values); }, variable.definition.rule);
      if (!traced.ok()) return common::Annotate(traced, "variable " + variable.definition.name);
      if (variable.kind == ValueKind::kCode && values.codes.size() != variable.codes.size()) {
        return absl::InvalidArgumentError("variable " + variable.definition.name + ": not as it was planned");
      }
      traced_.push_back(std::move(values));
    }
    return std::move(traced_);
  }

 private:
  const common::PermitRegister& Register(int index) const { return permit_.registers[static_cast<std::size_t>(index)]; }
  std::string ColumnOf(int reg, const std::string& source) const {
    return absl::StrCat(KeyOf(RegisterOf(Register(reg))), " ", source);
  }
  std::string ColumnOf(const VariableInput& input) const {
    return ColumnOf(input.register_index,
                    SourceOf(Register(input.register_index).fields[static_cast<std::size_t>(input.field)]));
  }

  absl::StatusOr<BaseValues> Input(const VariableInput& input) const {
    if (input.variable >= 0) return traced_[static_cast<std::size_t>(input.variable)];
    return FieldValues(input);
  }

  absl::StatusOr<BaseValues> FieldValues(const VariableInput& input) const {
    const PermitField& field = Register(input.register_index).fields[static_cast<std::size_t>(input.field)];
    const std::string column = ColumnOf(input);
    BaseValues values{
        .variable = "", .columns = {column}, .refinement = "", .apart = "", .codes = {}, .missing = Missing()};
    switch (field.coarsening) {
      case Coarsening::kAgeClass:
        values.variable = "date " + column;
        SetAgeClasses(field.age_bounds, field.reference_date, values);
        return values;
      case Coarsening::kTruncateMonth:
        values.variable = "month " + column;
        return values;
      case Coarsening::kTruncateYear:
        values.variable = "year " + column;
        return values;
      case Coarsening::kRoundDown:
        values.variable = absl::StrCat("number by ", field.round_to, " ", column);
        return values;
      case Coarsening::kCodeList: {
        values.variable = "text " + column;
        SLUIS_RETURN_IF_ERROR(SetCodeList(field, values));
        return values;
      }
      case Coarsening::kPrefix:
        values.variable = "text " + column;
        for (const std::string& code : field.codes) {
          const bool is_cut = CountCharacters(code) >= static_cast<std::size_t>(field.prefix_length);
          values.codes.push_back({.prefixes = {is_cut ? code : Whole(code)}});
        }
        return values;
      default:
        break;
    }
    values.variable = absl::StrCat(field.type == FieldType::kCode   ? "text "
                                   : field.type == FieldType::kDate ? "date "
                                                                    : "number ",
                                   column);
    for (const std::string& code : field.codes) values.codes.push_back({.prefixes = {Whole(code)}});
    return values;
  }

  absl::Status SetCodeList(const PermitField& field, BaseValues& values) const {
    const auto list = attachments_.find(field.code_list);
    if (list == attachments_.end()) {
      return absl::InvalidArgumentError("code list " + field.code_list + ": the permit has no such attachment");
    }
    SLUIS_ASSIGN_OR_RETURN(const auto records, ReadAttachmentCsv(list->second, field.code_list, {"from", "to"}));
    values.codes.resize(field.codes.size());
    std::vector<std::string> listed;
    for (const auto& record : records) {
      const auto to = std::find(field.codes.begin(), field.codes.end(), record[1]);
      if (to != field.codes.end()) {
        values.codes[static_cast<std::size_t>(to - field.codes.begin())].prefixes.push_back(Whole(record[0]));
      }
      listed.push_back(Whole(record[0]));
    }
    const auto other = std::find(field.codes.begin(), field.codes.end(), field.other);
    if (field.other.empty() || other == field.codes.end()) return absl::OkStatus();
    listed.emplace_back(kMissingValue);
    std::sort(listed.begin(), listed.end());
    ValueSet& rest = values.codes[static_cast<std::size_t>(other - field.codes.begin())];
    rest.others = true;
    rest.but = std::move(listed);
    return absl::OkStatus();
  }

  // A variable that is its own base variable, of which nothing but its codes is known.
  void SetOwn(const std::string& definition, const PlannedVariable& variable, BaseValues& out) const {
    out.variable = definition;
    for (const VariableInput& input : variable.inputs) {
      if (input.field >= 0) {
        out.columns.push_back(ColumnOf(input));
      } else {
        for (const PermitField& field : Register(input.register_index).fields) {
          out.columns.push_back(ColumnOf(input.register_index, SourceOf(field)));
        }
      }
    }
    std::sort(out.columns.begin(), out.columns.end());
    out.columns.erase(std::unique(out.columns.begin(), out.columns.end()), out.columns.end());
    for (const std::string& code : variable.codes) out.codes.push_back({.codes = {Whole(code)}});
    out.missing = Missing();
  }

  absl::Status Trace(const FieldValue&, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(out, Input(variable.inputs[0]));
    return absl::OkStatus();
  }

  absl::Status Trace(const RowSummary& rule, const PlannedVariable& variable, BaseValues& out) const {
    const int reg = variable.inputs[0].register_index;
    std::string text = absl::StrCat(rule.kind == RowSummary::Kind::kAny     ? "any row of "
                                    : rule.kind == RowSummary::Kind::kCount ? "number of rows of "
                                                                            : "sum of ",
                                    KeyOf(RegisterOf(Register(reg))));
    if (rule.kind == RowSummary::Kind::kSum) {
      SLUIS_ASSIGN_OR_RETURN(const BaseValues summed, FieldValues(variable.inputs[0]));
      absl::StrAppend(&text, ", ", summed.variable);
    }
    if (!rule.covering) {
      SetOwn(text, variable, out);
      return absl::OkStatus();
    }
    absl::StrAppend(&text, ", from ", ColumnOf(variable.inputs[1]), " to ", ColumnOf(variable.inputs[2]));
    SetOwn(absl::StrCat(text, " on ", common::FormatDay(rule.covering->date)), variable, out);
    out.apart = text;
    return absl::OkStatus();
  }

  absl::Status Trace(const EventCode& rule, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(const BaseValues values, FieldValues(variable.inputs[0]));
    std::string text = absl::StrCat(rule.pick == EventCode::Pick::kLatest ? "latest " : "highest ", values.variable);
    if (variable.inputs.size() > 1) absl::StrAppend(&text, " by ", ColumnOf(variable.inputs[1]));
    if (rule.until) absl::StrAppend(&text, " until ", common::FormatDay(*rule.until));
    absl::StrAppend(&text, ", none ", rule.none, ", of");
    for (const std::string& code : variable.codes) absl::StrAppend(&text, " ", code);  // their order ranks them
    SetOwn(text, variable, out);
    return absl::OkStatus();
  }

  absl::Status Trace(const AgeClass& rule, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(out, Input(variable.inputs[0]));
    SetAgeClasses(rule.bounds, rule.reference_date, out);
    return absl::OkStatus();
  }

  absl::Status Trace(const Banding& rule, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(out, Input(variable.inputs[0]));
    SetBands(rule.bands, out);
    return absl::OkStatus();
  }

  absl::Status Trace(const CodeMapping&, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(out, Input(variable.inputs[0]));
    std::vector<ValueSet> codes(variable.codes.size());
    for (std::size_t i = 0; i < variable.mapped.size() && i < out.codes.size(); ++i) {
      ValueSet& to = codes[variable.mapped[i]];
      to = Union(to, out.codes[i]);
    }
    out.codes = std::move(codes);
    return absl::OkStatus();
  }

  // What the two classifications by parents make of the own country of birth: values of its column that are refined by
  // the code of BornIn and, of those born at home, that of Origin2022.
  struct Births {
    BaseValues own;
    std::map<std::string, ValueSet> by_country;
    ValueSet unknown;
    std::vector<std::string> home;  // prefixes of those born at home
    std::set<std::string> origins;  // that parents can give
    std::string refinement;
  };

  template <typename Rule>
  absl::StatusOr<Births> TraceBirths(const Rule& rule, const PlannedVariable& variable) const {
    Births births;
    SLUIS_ASSIGN_OR_RETURN(births.own, Input(variable.inputs[0]));
    births.unknown = births.own.missing;
    const std::vector<std::string>& names = CodesOf(variable.inputs[0]);
    for (std::size_t i = 0; i < names.size() && i < births.own.codes.size(); ++i) {
      if (names[i] == rule.unknown) {
        births.unknown = Union(births.unknown, births.own.codes[i]);
      } else {
        births.by_country[names[i]] = births.own.codes[i];
      }
    }
    births.home = births.by_country[rule.home].prefixes;
    if (variable.inputs.size() < 3) return births;
    births.refinement = absl::StrCat("home ", rule.home, ", unknown ", rule.unknown);
    for (const std::size_t parent : {1u, 2u}) {
      SLUIS_ASSIGN_OR_RETURN(const BaseValues values, Input(variable.inputs[parent]));
      absl::StrAppend(&births.refinement, ", parent ", values.variable);
      for (const std::string& code : CodesOf(variable.inputs[parent])) births.origins.insert(code);
      births.own.columns.insert(births.own.columns.end(), values.columns.begin(), values.columns.end());
    }
    std::sort(births.own.columns.begin(), births.own.columns.end());
    births.own.columns.erase(std::unique(births.own.columns.begin(), births.own.columns.end()),
                             births.own.columns.end());
    return births;
  }

  const std::vector<std::string>& CodesOf(const VariableInput& input) const {
    return input.variable >= 0 ? plan_.variables[static_cast<std::size_t>(input.variable)].codes
                               : Register(input.register_index).fields[static_cast<std::size_t>(input.field)].codes;
  }

  template <typename Rule>
  static std::string UnknownOf(const Rule& rule) {
    return rule.unknown.empty() ? kMissingValue : rule.unknown;
  }

  // Whether somebody born at home in this way (a code of BornIn) can have the origin by the parents.
  template <typename Rule>
  static bool GivesOrigin(const std::string& way, const std::string& origin, const Rule& rule) {
    if (way == "1") return true;
    return way == "1a" ? origin == rule.home : origin != rule.home && origin != UnknownOf(rule);
  }

  // Only a column whose own codes are no unions can be refined; else the variable is its own.
  static bool CanRefine(const Births& births) {
    const bool listed = std::all_of(births.own.codes.begin(), births.own.codes.end(), [](const ValueSet& set) {
      return !set.others && set.ranges.empty() && set.codes.empty();
    });
    return listed && births.home.size() == 1 && !births.own.codes.empty() && births.own.refinement.empty() &&
           births.own.variable.starts_with("text ");
  }

  absl::Status Trace(const Origin2022& rule, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(Births births, TraceBirths(rule, variable));
    if (!CanRefine(births)) {
      SetOwn(absl::StrCat("origin by ", births.own.variable, ", ", births.refinement), variable, out);
      out.columns = births.own.columns;
      return absl::OkStatus();
    }
    const std::string home = births.home[0];
    // Those born at home whose parents give them `origin`, whichever way these were born.
    const auto of_parents = [&](const std::string& origin) {
      ValueSet set;
      for (const std::string way : {"1", "1a", "1b", "1c"}) {
        if (!GivesOrigin(way, origin, rule)) continue;
        set.prefixes.push_back(absl::StrCat(home, Whole(way), Whole(origin)));
      }
      return set;
    };
    out = births.own;
    out.refinement = "origin, " + births.refinement;
    out.codes.clear();
    for (const std::string& code : variable.codes) {
      ValueSet set = of_parents(code);
      if (!rule.unknown.empty() && code == rule.unknown) {
        set = Union(set, births.unknown);
      } else if (const auto abroad = births.by_country.find(code);
                 abroad != births.by_country.end() && code != rule.home) {
        set = Union(set, abroad->second);
      }
      out.codes.push_back(std::move(set));
    }
    out.missing = rule.unknown.empty() ? Union(births.unknown, of_parents(UnknownOf(rule))) : ValueSet{};
    return absl::OkStatus();
  }

  absl::Status Trace(const BornIn& rule, const PlannedVariable& variable, BaseValues& out) const {
    SLUIS_ASSIGN_OR_RETURN(Births births, TraceBirths(rule, variable));
    const bool with_parents = variable.inputs.size() == 3;
    if (with_parents && !CanRefine(births)) {
      SetOwn(absl::StrCat("born in, by ", births.own.variable, ", ", births.refinement), variable, out);
      out.columns = births.own.columns;
      return absl::OkStatus();
    }
    out = births.own;
    if (with_parents) out.refinement = "born in, " + births.refinement;
    out.codes.clear();
    for (const std::string& code : variable.codes) {
      if (!rule.unknown.empty() && code == rule.unknown) {
        out.codes.push_back(births.unknown);
        continue;
      }
      ValueSet set;
      if (with_parents && code[0] == '1') {
        for (const std::string& origin : births.origins) {
          if (!GivesOrigin(code, origin, rule)) continue;
          set.prefixes.push_back(absl::StrCat(births.home[0], Whole(code), Whole(origin)));
        }
        if (code == "1") set.prefixes.push_back(absl::StrCat(births.home[0], Whole(code), Whole(UnknownOf(rule))));
        out.codes.push_back(std::move(set));
        continue;
      }
      for (const auto& [country, values] : births.by_country) {
        if ((country == rule.home) != (code[0] == '1')) continue;
        ValueSet refined = values;
        for (std::string& prefix : refined.prefixes) {
          if (with_parents) prefix = absl::StrCat(prefix, Whole(code));
        }
        set = Union(set, refined);
      }
      out.codes.push_back(std::move(set));
    }
    out.missing = rule.unknown.empty() ? births.unknown : ValueSet{};
    return absl::OkStatus();
  }

  const TablePlan& plan_;
  const common::Permit& permit_;
  const std::map<std::string, std::string>& attachments_;
  std::vector<BaseValues> traced_;
};

template <typename T>
std::vector<T> Merged(const std::vector<T>& a, const std::vector<T>& b) {
  std::set<T> all(a.begin(), a.end());
  all.insert(b.begin(), b.end());
  return {all.begin(), all.end()};
}

}  // namespace

LedgerRegister RegisterOf(const common::PermitRegister& reg) { return {reg.custodian, reg.name, reg.period}; }

std::string KeyOf(const LedgerRegister& reg) {
  return absl::StrCat(reg.custodian, " ", reg.name, " [", reg.period, "]");
}

absl::StatusOr<std::vector<BaseValues>> TraceVariables(const TablePlan& plan, const common::Permit& permit,
                                                       const std::map<std::string, std::string>& attachments) {
  return Tracer(plan, permit, attachments).Run();
}

ValueSet Union(const ValueSet& a, const ValueSet& b) {
  ValueSet result;
  result.everything = a.everything || b.everything;
  result.codes = Merged(a.codes, b.codes);
  result.ranges = Merged(a.ranges, b.ranges);
  result.prefixes = Merged(a.prefixes, b.prefixes);
  result.others = a.others || b.others;
  if (a.others && b.others) {
    std::set_intersection(a.but.begin(), a.but.end(), b.but.begin(), b.but.end(), std::back_inserter(result.but));
  } else {
    result.but = a.others ? a.but : b.but;
  }
  return result;
}

}  // namespace sluis::disclosure
