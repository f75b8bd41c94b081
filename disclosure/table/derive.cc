#include "disclosure/table/derive.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

using common::kMissingCode;
using common::kMissingDate;
using common::kMissingInteger;

constexpr int kNoBackbone = -1;

// Position of `code` in `codes`; kMissingCode if it is empty or not among them.
std::uint16_t PositionOf(const std::string& code, const std::vector<std::string>& codes) {
  if (code.empty()) return kMissingCode;
  const auto found = std::find(codes.begin(), codes.end(), code);
  return found == codes.end() ? kMissingCode : static_cast<std::uint16_t>(found - codes.begin());
}

class Deriver {
 public:
  Deriver(std::span<const PlannedVariable> variables, std::span<const RegisterColumns> registers)
      : variables_(variables), registers_(registers) {}

  absl::StatusOr<std::vector<DerivedColumn>> Run() {
    int backbone = kNoBackbone;
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      if (registers_[i].schema().backbone) backbone = static_cast<int>(i);
    }
    if (backbone == kNoBackbone) return absl::InvalidArgumentError("registers: none is the backbone");
    persons_ = registers_[static_cast<std::size_t>(backbone)].rows();
    for (const RegisterColumns& reg : registers_) SLUIS_RETURN_IF_ERROR(reg.CheckPersons(persons_));
    for (const PlannedVariable& variable : variables_) {
      if (variable.scope >= static_cast<int>(registers_.size())) {
        return absl::InvalidArgumentError("variable " + variable.definition.name + ": its register is not there");
      }
      DerivedColumn column;
      absl::Status status =
          std::visit([&](const auto& rule) { return Derive(rule, variable, column); }, variable.definition.rule);
      if (!status.ok()) return common::Annotate(status, "variable " + variable.definition.name);
      derived_.push_back(std::move(column));
    }
    return std::move(derived_);
  }

 private:
  const RegisterColumns& Register(int index) const { return registers_[static_cast<std::size_t>(index)]; }
  const Column& Field(const VariableInput& input) const {
    return Register(input.register_index).column(static_cast<std::size_t>(input.field));
  }

  // Codes of an input that is a field or an earlier variable.
  std::span<const std::uint16_t> Codes(const VariableInput& input) const {
    return input.variable >= 0
               ? std::span<const std::uint16_t>(derived_[static_cast<std::size_t>(input.variable)].codes)
               : std::span<const std::uint16_t>(Field(input).codes);
  }
  const std::vector<std::string>& CodeNames(const VariableInput& input) const {
    return input.variable >= 0
               ? variables_[static_cast<std::size_t>(input.variable)].codes
               : Register(input.register_index).schema().fields[static_cast<std::size_t>(input.field)].codes;
  }
  std::vector<std::int64_t> Numbers(const VariableInput& input) const {
    if (input.variable >= 0) return derived_[static_cast<std::size_t>(input.variable)].numbers;
    const Column& field = Field(input);
    if (field.type == common::FieldType::kInteger) return field.integers;
    std::vector<std::int64_t> days(field.dates.size());
    for (std::size_t i = 0; i < days.size(); ++i) {
      days[i] = field.dates[i] == kMissingDate ? kMissingInteger : field.dates[i];
    }
    return days;
  }
  // For each code of `input`, the position of the same code in the variable's own codes.
  std::vector<std::uint16_t> Translate(const VariableInput& input, const PlannedVariable& variable) const {
    std::vector<std::uint16_t> positions;
    for (const std::string& code : CodeNames(input)) positions.push_back(PositionOf(code, variable.codes));
    return positions;
  }

  absl::Status Derive(const FieldValue&, const PlannedVariable& variable, DerivedColumn& out) const {
    const VariableInput& input = variable.inputs[0];
    if (variable.kind == ValueKind::kCode) {
      const auto codes = Codes(input);
      out.codes.assign(codes.begin(), codes.end());
    } else {
      out.numbers = Numbers(input);
    }
    return absl::OkStatus();
  }

  absl::Status Derive(const RowSummary& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const RegisterColumns& reg = Register(variable.inputs[0].register_index);
    std::vector<std::uint8_t> covering;
    if (rule.covering) {
      covering = RowsCovering(reg, variable.inputs[1].field, variable.inputs[2].field, rule.covering->date);
    }
    const auto persons = reg.persons();
    std::vector<std::int64_t> result(static_cast<std::size_t>(persons_), 0);
    for (std::size_t row = 0; row < persons.size(); ++row) {
      if (persons[row] < 0 || (rule.covering && covering[row] == 0)) continue;
      std::int64_t add = 1;
      if (rule.kind == RowSummary::Kind::kSum) {
        add = Field(variable.inputs[0]).integers[row];
        if (add == kMissingInteger) continue;
      }
      std::int64_t& sum = result[static_cast<std::size_t>(persons[row])];
      if (__builtin_add_overflow(sum, add, &sum)) {
        return absl::OutOfRangeError("register " + reg.schema().name + ": the sum over one person's rows overflows");
      }
    }
    if (rule.kind != RowSummary::Kind::kAny) {
      out.numbers = std::move(result);
      return absl::OkStatus();
    }
    out.codes.resize(result.size());
    for (std::size_t i = 0; i < result.size(); ++i) out.codes[i] = result[i] > 0 ? 1 : 0;  // codes are "no", "yes"
    return absl::OkStatus();
  }

  absl::Status Derive(const EventCode& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const auto persons = Register(variable.inputs[0].register_index).persons();
    const std::vector<std::uint16_t>& codes = Field(variable.inputs[0]).codes;
    out.codes.assign(static_cast<std::size_t>(persons_), PositionOf(rule.none, variable.codes));
    std::vector<std::int32_t> best(static_cast<std::size_t>(persons_), INT32_MIN);
    for (std::size_t row = 0; row < persons.size(); ++row) {
      if (persons[row] < 0 || codes[row] == kMissingCode) continue;
      std::int32_t rank = codes[row];
      if (!rule.date_field.empty()) {
        const common::Day day = Field(variable.inputs[1]).dates[row];
        if (day == kMissingDate || (rule.until && day > *rule.until)) continue;
        if (rule.pick == EventCode::Pick::kLatest) rank = day;
      }
      const auto person = static_cast<std::size_t>(persons[row]);
      // On equal days the higher code counts, so that the result does not depend on the order of rows.
      const bool tie = rank == best[person] && codes[row] > out.codes[person];
      if (rank > best[person] || tie) {
        best[person] = rank;
        out.codes[person] = codes[row];
      }
    }
    return absl::OkStatus();
  }

  absl::Status Derive(const AgeClass& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const std::vector<std::int64_t> births = Numbers(variable.inputs[0]);
    out.codes.resize(births.size());
    for (std::size_t i = 0; i < births.size(); ++i) {
      if (births[i] == kMissingInteger || births[i] > rule.reference_date) {
        out.codes[i] = kMissingCode;
        continue;
      }
      const int age = common::AgeInYears(static_cast<common::Day>(births[i]), rule.reference_date);
      const auto above = std::upper_bound(rule.bounds.begin(), rule.bounds.end(), age);
      out.codes[i] = static_cast<std::uint16_t>(above - rule.bounds.begin() - 1);
    }
    return absl::OkStatus();
  }

  absl::Status Derive(const Banding& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const std::vector<std::int64_t> numbers = Numbers(variable.inputs[0]);
    std::vector<std::int64_t> lower;
    for (std::size_t b = 1; b < rule.bands.size(); ++b) lower.push_back(*rule.bands[b].at_least);
    out.codes.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      out.codes[i] =
          numbers[i] == kMissingInteger
              ? kMissingCode
              : static_cast<std::uint16_t>(std::upper_bound(lower.begin(), lower.end(), numbers[i]) - lower.begin());
    }
    return absl::OkStatus();
  }

  absl::Status Derive(const CodeMapping&, const PlannedVariable& variable, DerivedColumn& out) const {
    const auto codes = Codes(variable.inputs[0]);
    out.codes.resize(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      out.codes[i] = codes[i] == kMissingCode ? kMissingCode : variable.mapped[codes[i]];
    }
    return absl::OkStatus();
  }

  absl::Status Derive(const Origin2022& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const std::uint16_t unknown = PositionOf(rule.unknown, variable.codes);
    const std::uint16_t home = PositionOf(rule.home, variable.codes);
    std::vector<std::uint16_t> own = Countries(variable.inputs[0], variable, unknown);
    const std::vector<std::uint16_t> mother = Countries(variable.inputs[1], variable, unknown);
    const std::vector<std::uint16_t> father = Countries(variable.inputs[2], variable, unknown);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i] != home) continue;  // born abroad, or unknown
      own[i] = mother[i] != home && mother[i] != unknown ? mother[i] : father[i];
    }
    out.codes = std::move(own);
    return absl::OkStatus();
  }

  absl::Status Derive(const BornIn& rule, const PlannedVariable& variable, DerivedColumn& out) const {
    const auto own = Codes(variable.inputs[0]);
    const std::uint16_t unknown = PositionOf(rule.unknown, variable.codes);
    const bool with_parents = variable.inputs.size() == 3;
    enum class Born { kHome, kAbroad, kUnknown };
    const auto born = [&](std::size_t input, std::size_t row) {
      const std::uint16_t code = Codes(variable.inputs[input])[row];
      if (code == kMissingCode) return Born::kUnknown;
      const std::string& name = CodeNames(variable.inputs[input])[code];
      return name == rule.home ? Born::kHome : name == rule.unknown ? Born::kUnknown : Born::kAbroad;
    };
    out.codes.resize(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      const Born self = born(0, i);
      if (self == Born::kUnknown) {
        out.codes[i] = unknown;
        continue;
      }
      // Positions: "1", "2", or "1", "1a", "1b", "1c", "2", "2a", "2b", "2c".
      std::uint16_t position = self == Born::kHome ? 0 : with_parents ? 4 : 1;
      if (with_parents) {
        const Born mother = born(1, i), father = born(2, i);
        if (mother != Born::kUnknown && father != Born::kUnknown) {
          position = static_cast<std::uint16_t>(position + 1 + (mother == Born::kAbroad) + (father == Born::kAbroad));
        }
      }
      out.codes[i] = position;
    }
    return absl::OkStatus();
  }

  // Codes of `input` in the variable's own numbering, with missing ones as `unknown`.
  std::vector<std::uint16_t> Countries(const VariableInput& input, const PlannedVariable& variable,
                                       std::uint16_t unknown) const {
    const std::vector<std::uint16_t> position = Translate(input, variable);
    const auto codes = Codes(input);
    std::vector<std::uint16_t> result(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      result[i] = codes[i] == kMissingCode ? unknown : position[codes[i]];
    }
    return result;
  }

  std::span<const PlannedVariable> variables_;
  std::span<const RegisterColumns> registers_;
  std::int64_t persons_ = 0;
  std::vector<DerivedColumn> derived_;
};

}  // namespace

absl::StatusOr<std::vector<DerivedColumn>> DeriveColumns(std::span<const PlannedVariable> variables,
                                                         std::span<const RegisterColumns> registers) {
  return Deriver(variables, registers).Run();
}

std::vector<std::uint8_t> RowsCovering(const RegisterColumns& reg, int start, int end, common::Day date) {
  const std::vector<std::int32_t>& starts = reg.column(static_cast<std::size_t>(start)).dates;
  const std::vector<std::int32_t>& ends = reg.column(static_cast<std::size_t>(end)).dates;
  std::vector<std::uint8_t> covering(starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    covering[i] = starts[i] != kMissingDate && starts[i] <= date && (ends[i] == kMissingDate || date <= ends[i]);
  }
  return covering;
}

}  // namespace sluis::disclosure
