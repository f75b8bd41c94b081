#include "disclosure/table/plan_variables.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/attachment_csv.h"

namespace sluis::disclosure {
namespace {

using common::FieldType;
using common::Permit;
using common::PermitField;
using common::PermitRegister;

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

template <typename Item>
int IndexOf(const std::vector<Item>& items, const std::string& name) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// Adds `code` to `codes` unless it is there.
void AddCode(const std::string& code, std::vector<std::string>& codes) {
  if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
}

class VariablePlanner {
 public:
  VariablePlanner(const Permit& permit, const std::map<std::string, std::string>& attachments)
      : permit_(permit), attachments_(attachments) {
    for (std::size_t i = 0; i < permit.registers.size(); ++i) {
      if (permit.registers[i].backbone) backbone_ = static_cast<int>(i);
    }
  }

  absl::Status Add(const DerivedVariable& variable) {
    if (!IsName(variable.name)) return Invalid("variable " + variable.name + ": a name is [a-z][a-z0-9_]{0,62}");
    for (const PlannedVariable& other : planned_) {
      if (other.definition.name == variable.name) return Invalid("variable " + variable.name + ": declared twice");
    }
    PlannedVariable result;
    result.definition = variable;
    absl::Status status = std::visit([&](const auto& rule) { return Plan(rule, result); }, variable.rule);
    if (!status.ok()) return common::Annotate(status, "variable " + variable.name);
    if (result.codes.size() >= common::kMissingCode) return Invalid("variable " + variable.name + ": too many codes");
    planned_.push_back(std::move(result));
    return absl::OkStatus();
  }

  std::vector<PlannedVariable> Finish() { return std::move(planned_); }

 private:
  struct Resolved {
    ValueKind kind = ValueKind::kCode;
    std::vector<std::string> codes;
  };

  // Resolves one input and enters it into `variable`: inputs, sources and scope.
  absl::StatusOr<Resolved> Input(const std::string& input, PlannedVariable& variable) {
    VariableInput resolved;
    Resolved result;
    int scope = 0;
    const std::size_t dot = input.find('.');
    if (dot == std::string::npos) {
      for (std::size_t i = 0; i < planned_.size(); ++i) {
        if (planned_[i].definition.name == input) resolved.variable = static_cast<int>(i);
      }
      if (resolved.variable < 0) {
        return Invalid("input " + input + ": no variable declared before has that name; fields are register.field");
      }
      const PlannedVariable& other = planned_[static_cast<std::size_t>(resolved.variable)];
      scope = other.scope;
      result = {other.kind, other.codes};
      variable.sources.insert(other.sources.begin(), other.sources.end());
    } else {
      SLUIS_ASSIGN_OR_RETURN(scope, RegisterIndex(permit_, input.substr(0, dot)));
      const PermitRegister& reg = permit_.registers[static_cast<std::size_t>(scope)];
      resolved.field = IndexOf(reg.fields, input.substr(dot + 1));
      if (resolved.field < 0) return absl::PermissionDeniedError("field " + input + ": the permit lacks it");
      const PermitField& field = reg.fields[static_cast<std::size_t>(resolved.field)];
      if (field.type == FieldType::kToken) return Invalid("field " + input + ": a token only groups contributions");
      result.kind = field.type == FieldType::kCode   ? ValueKind::kCode
                    : field.type == FieldType::kDate ? ValueKind::kDate
                                                     : ValueKind::kInteger;
      result.codes = field.codes;
      variable.sources.insert(input);
    }
    if (!variable.inputs.empty() && variable.scope != scope) {
      return Invalid("input " + input + ": all inputs must describe rows of the same register");
    }
    resolved.register_index = scope;
    variable.scope = scope;
    variable.inputs.push_back(resolved);
    return result;
  }

  absl::StatusOr<Resolved> InputOf(const std::string& input, ValueKind kind, const char* expected,
                                   PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(Resolved resolved, Input(input, variable));
    if (resolved.kind != kind) return Invalid("input " + input + ": must be " + expected);
    return resolved;
  }

  // Resolves a field of a register whose rows are summarised for persons.
  absl::Status RowField(int register_index, const std::string& field, FieldType type, const char* expected,
                        PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(const int index, FieldIndex(permit_, register_index, field, type, expected));
    variable.inputs.push_back({.register_index = register_index, .field = index});
    variable.sources.insert(permit_.registers[static_cast<std::size_t>(register_index)].name + "." + field);
    return absl::OkStatus();
  }

  absl::StatusOr<int> Satellite(const std::string& name) {
    SLUIS_ASSIGN_OR_RETURN(const int index, RegisterIndex(permit_, name));
    if (index == backbone_) return Invalid("register " + name + ": is the backbone; its rows are the persons");
    return index;
  }

  absl::Status Plan(const FieldValue& rule, PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(const Resolved input, Input(rule.input, variable));
    variable.kind = input.kind;
    variable.codes = input.codes;
    return absl::OkStatus();
  }

  absl::Status Plan(const RowSummary& rule, PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(const int reg, Satellite(rule.register_name));
    variable.scope = backbone_;
    if (rule.kind == RowSummary::Kind::kAny) variable.codes = {"no", "yes"};
    variable.kind = rule.kind == RowSummary::Kind::kAny ? ValueKind::kCode : ValueKind::kInteger;
    if (rule.kind == RowSummary::Kind::kSum) {
      SLUIS_RETURN_IF_ERROR(RowField(reg, rule.field, FieldType::kInteger, "an integer", variable));
    } else {
      if (!rule.field.empty()) return Invalid("field " + rule.field + ": only a sum takes a field");
      variable.inputs.push_back({.register_index = reg});
    }
    if (rule.covering) {
      SLUIS_RETURN_IF_ERROR(RowField(reg, rule.covering->start, FieldType::kDate, "a date", variable));
      SLUIS_RETURN_IF_ERROR(RowField(reg, rule.covering->end, FieldType::kDate, "a date", variable));
    }
    if (variable.sources.empty()) {
      // That a person has rows at all is a fact of the register; it counts as made from each of its fields.
      const PermitRegister& source = permit_.registers[static_cast<std::size_t>(reg)];
      for (const PermitField& field : source.fields) variable.sources.insert(source.name + "." + field.name);
    }
    return absl::OkStatus();
  }

  absl::Status Plan(const EventCode& rule, PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(const int reg, Satellite(rule.register_name));
    variable.scope = backbone_;
    SLUIS_RETURN_IF_ERROR(RowField(reg, rule.field, FieldType::kCode, "a code", variable));
    if (!rule.date_field.empty()) {
      SLUIS_RETURN_IF_ERROR(RowField(reg, rule.date_field, FieldType::kDate, "a date", variable));
    } else if (rule.pick == EventCode::Pick::kLatest || rule.until) {
      return Invalid("date_field: needed to tell which row is the latest, or on or before a date");
    }
    variable.codes = permit_.registers[static_cast<std::size_t>(reg)]
                         .fields[static_cast<std::size_t>(variable.inputs[0].field)]
                         .codes;
    if (!rule.none.empty()) AddCode(rule.none, variable.codes);
    return absl::OkStatus();
  }

  absl::Status Plan(const AgeClass& rule, PlannedVariable& variable) {
    SLUIS_RETURN_IF_ERROR(InputOf(rule.input, ValueKind::kDate, "a date", variable).status());
    if (rule.bounds.empty() || rule.bounds[0] != 0 || rule.bounds.back() > 150 ||
        std::adjacent_find(rule.bounds.begin(), rule.bounds.end(), std::greater_equal<>()) != rule.bounds.end()) {
      return Invalid("bounds: ascending ages in years, the first 0, none above 150");
    }
    variable.codes = common::AgeClassCodes(rule.bounds);
    return absl::OkStatus();
  }

  absl::Status Plan(const Banding& rule, PlannedVariable& variable) {
    SLUIS_RETURN_IF_ERROR(InputOf(rule.input, ValueKind::kInteger, "an integer", variable).status());
    if (rule.bands.empty() || rule.bands.size() > 1000) return Invalid("bands: 1 .. 1000 are needed");
    for (std::size_t i = 0; i < rule.bands.size(); ++i) {
      const Banding::Band& band = rule.bands[i];
      if (band.code.empty()) return Invalid(absl::StrCat("bands[", i, "]: the code is empty"));
      if (band.at_least.has_value() != (i > 0)) {
        return Invalid(absl::StrCat("bands[", i, "]: every band but the first has at_least"));
      }
      if (i > 1 && *band.at_least <= *rule.bands[i - 1].at_least) {
        return Invalid(absl::StrCat("bands[", i, "]: at_least must ascend"));
      }
      AddCode(band.code, variable.codes);
    }
    if (variable.codes.size() != rule.bands.size()) return Invalid("bands: a code stands twice");
    return absl::OkStatus();
  }

  absl::Status Plan(const CodeMapping& rule, PlannedVariable& variable) {
    SLUIS_ASSIGN_OR_RETURN(const Resolved input, InputOf(rule.input, ValueKind::kCode, "a code", variable));
    SLUIS_ASSIGN_OR_RETURN(const auto list, ReadCodeList(rule.code_list));
    for (const std::string& code : input.codes) {
      const auto found = list.find(code);
      if (found == list.end() && rule.other.empty()) {
        return Invalid("code list " + rule.code_list + ": lacks code " + code + "; add it or give `other`");
      }
      const std::string& to = found == list.end() ? rule.other : found->second;
      AddCode(to, variable.codes);
      variable.mapped.push_back(static_cast<std::uint16_t>(std::find(variable.codes.begin(), variable.codes.end(), to) -
                                                           variable.codes.begin()));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::map<std::string, std::string>> ReadCodeList(const std::string& name) const {
    const auto attachment = attachments_.find(name);
    if (attachment == attachments_.end()) {
      return absl::PermissionDeniedError("code list " + name + ": the permit has no such attachment");
    }
    SLUIS_ASSIGN_OR_RETURN(const auto records, ReadAttachmentCsv(attachment->second, name, {"from", "to"}));
    std::map<std::string, std::string> list;
    for (const auto& record : records) {
      if (record[1].empty()) return Invalid("code list " + name + ": code " + record[0] + " maps to nothing");
      if (!list.emplace(record[0], record[1]).second) {
        return Invalid("code list " + name + ": code " + record[0] + " stands twice");
      }
    }
    return list;
  }

  absl::Status Plan(const Origin2022& rule, PlannedVariable& variable) {
    bool home_known = false;
    for (const std::string& input : {rule.own, rule.mother, rule.father}) {
      SLUIS_ASSIGN_OR_RETURN(const Resolved resolved, InputOf(input, ValueKind::kCode, "a code", variable));
      for (const std::string& code : resolved.codes) {
        home_known = home_known || code == rule.home;
        if (code != rule.unknown) AddCode(code, variable.codes);
      }
    }
    if (!home_known) return Invalid("home: no input has code " + rule.home);
    if (!rule.unknown.empty()) AddCode(rule.unknown, variable.codes);
    return absl::OkStatus();
  }

  absl::Status Plan(const BornIn& rule, PlannedVariable& variable) {
    if (rule.mother.empty() != rule.father.empty()) return Invalid("mother, father: give both or none");
    SLUIS_ASSIGN_OR_RETURN(const Resolved own, InputOf(rule.own, ValueKind::kCode, "a code", variable));
    if (std::find(own.codes.begin(), own.codes.end(), rule.home) == own.codes.end()) {
      return Invalid("home: input " + rule.own + " has no code " + rule.home);
    }
    variable.codes = {"1", "2"};
    if (!rule.mother.empty()) {
      SLUIS_RETURN_IF_ERROR(InputOf(rule.mother, ValueKind::kCode, "a code", variable).status());
      SLUIS_RETURN_IF_ERROR(InputOf(rule.father, ValueKind::kCode, "a code", variable).status());
      variable.codes = {"1", "1a", "1b", "1c", "2", "2a", "2b", "2c"};
    }
    if (!rule.unknown.empty()) AddCode(rule.unknown, variable.codes);
    return absl::OkStatus();
  }

  const Permit& permit_;
  const std::map<std::string, std::string>& attachments_;
  int backbone_ = 0;
  std::vector<PlannedVariable> planned_;
};

}  // namespace

bool IsName(const std::string& name, bool dash) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [dash](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == (dash ? '-' : '_');
  });
}

absl::StatusOr<int> RegisterIndex(const Permit& permit, const std::string& name) {
  const int index = IndexOf(permit.registers, name);
  if (index < 0) return absl::PermissionDeniedError("register " + name + ": the permit lacks it");
  return index;
}

absl::StatusOr<int> FieldIndex(const Permit& permit, int register_index, const std::string& field, FieldType type,
                               const char* expected) {
  const PermitRegister& reg = permit.registers[static_cast<std::size_t>(register_index)];
  const int index = IndexOf(reg.fields, field);
  if (index < 0) return absl::PermissionDeniedError("field " + reg.name + "." + field + ": the permit lacks it");
  if (reg.fields[static_cast<std::size_t>(index)].type != type) {
    return Invalid("field " + reg.name + "." + field + ": must be " + expected);
  }
  return index;
}

absl::StatusOr<std::vector<PlannedVariable>> PlanVariables(const std::vector<DerivedVariable>& variables,
                                                           const Permit& permit,
                                                           const std::map<std::string, std::string>& attachments) {
  VariablePlanner planner(permit, attachments);
  for (const DerivedVariable& variable : variables) SLUIS_RETURN_IF_ERROR(planner.Add(variable));
  return planner.Finish();
}

}  // namespace sluis::disclosure
