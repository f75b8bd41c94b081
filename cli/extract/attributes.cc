#include "cli/extract/attributes.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace sluis::cli {
namespace {

using common::Coarsening;
using common::Day;
using common::FieldType;
using common::PermitField;
using common::Value;
using common::ValueState;
using common::ValueType;

template <typename Integer>
void PutLittleEndian(std::uint8_t* out, Integer value) {
  auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out[i] = static_cast<std::uint8_t>(bits & 0xFF);
    if constexpr (sizeof(Integer) > 1) bits = static_cast<decltype(bits)>(bits >> 8);
  }
}

void PutMissing(FieldType type, std::uint8_t* out) {
  switch (type) {
    case FieldType::kCode:
      return PutLittleEndian(out, common::kMissingCode);
    case FieldType::kDate:
      return PutLittleEndian(out, common::kMissingDate);
    case FieldType::kInteger:
      return PutLittleEndian(out, common::kMissingInteger);
    case FieldType::kToken:
      std::memset(out, 0, common::FieldWidth(FieldType::kToken));
  }
}

// The first `length` characters of valid UTF-8.
std::string_view Prefix(std::string_view text, int length) {
  std::size_t end = 0;
  while (end < text.size() && length > 0) {
    ++end;
    while (end < text.size() && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80) ++end;
    --length;
  }
  return text.substr(0, end);
}

Day TruncateDate(const Value& value, Coarsening coarsening) {
  int year = static_cast<int>(value.number / 10'000);
  int month = static_cast<int>(value.number / 100 % 100);
  if (value.state == ValueState::kPresent) {
    const common::CivilDate date = common::ToCivil(static_cast<Day>(value.number));
    year = date.year;
    month = date.month;
  }
  if (coarsening == Coarsening::kTruncateYear) return common::FromCivil({year, 1, 1});
  if (month == 0) return common::kMissingDate;
  return common::FromCivil({year, month, 1});
}

}  // namespace

AttributeEncoder::AttributeEncoder(std::shared_ptr<const ExtractPlan> plan, const common::SecretBytes* token_key)
    : plan_(std::move(plan)), row_width_(plan_->permit_register.RowWidth()) {
  if (token_key != nullptr) token_ = std::make_unique<common::HmacSha256>(*token_key);
  std::size_t offset = 0;
  for (std::size_t i = 0; i < plan_->permit_register.fields.size(); ++i) {
    const PermitField& permit = plan_->permit_register.fields[i];
    Attribute attribute{&permit, plan_->attribute_source[i], offset, {}, common::kMissingCode, permit.name + '\0'};
    offset += common::FieldWidth(permit.type);
    if (permit.type == FieldType::kCode && permit.coarsening != Coarsening::kAgeClass) {
      for (std::size_t code = 0; code < permit.codes.size(); ++code) {
        attribute.codes.emplace(permit.codes[code], static_cast<std::uint16_t>(code));
      }
    }
    if (permit.coarsening == Coarsening::kCodeList) {
      // From the value to the position at once.
      const TextMap<std::uint16_t> positions = std::exchange(attribute.codes, {});
      for (const auto& [from, to] : plan_->code_lists.at(permit.code_list)) {
        attribute.codes.emplace(from, positions.at(to));
      }
      if (!permit.other.empty()) attribute.other = positions.at(permit.other);
    }
    attributes_.push_back(std::move(attribute));
  }
}

void AttributeEncoder::Encode(std::span<const Value> values, std::span<std::uint8_t> out,
                              std::vector<RowFault>& faults) {
  for (const Attribute& attribute : attributes_) {
    const Value& value = values[attribute.source];
    std::uint8_t* const to = out.data() + attribute.offset;
    PutMissing(attribute.permit->type, to);
    if (value.state == ValueState::kMissing) continue;
    if (const std::optional<Rule> broken = EncodeOne(attribute, value, to)) {
      faults.push_back({*broken, &plan_->schema.fields[attribute.source], attribute.permit, 0});
    }
  }
}

std::string_view AttributeEncoder::TextOf(const Attribute& attribute, const Value& value) {
  const common::SchemaField& field = plan_->schema.fields[attribute.source];
  if (field.type == ValueType::kString) return value.text;
  scratch_.clear();
  common::AppendText(field, value, scratch_);
  return scratch_;
}

std::optional<Rule> AttributeEncoder::EncodeOne(const Attribute& attribute, const Value& value, std::uint8_t* out) {
  const PermitField& permit = *attribute.permit;
  switch (permit.type) {
    case FieldType::kCode:
      return EncodeCode(attribute, value, out);
    case FieldType::kDate: {
      if (permit.coarsening != Coarsening::kNone) {
        PutLittleEndian(out, TruncateDate(value, permit.coarsening));
      } else if (value.state == ValueState::kPresent) {
        PutLittleEndian(out, static_cast<Day>(value.number));
      }
      return std::nullopt;
    }
    case FieldType::kInteger: {
      // The range is that of the value before rounding: rounding down may leave it, an odd value may not.
      if (value.number < permit.minimum || value.number > permit.maximum) return Rule::kAttributeRange;
      const std::int64_t step = permit.coarsening == Coarsening::kRoundDown ? permit.round_to : 1;
      PutLittleEndian(out, value.number - value.number % step);
      return std::nullopt;
    }
    case FieldType::kToken: {
      if (token_ == nullptr) return std::nullopt;
      const common::Hash256 hash = token_->Compute(attribute.token_label, TextOf(attribute, value));
      std::copy_n(hash.begin(), common::FieldWidth(FieldType::kToken), out);
      const bool zero = std::all_of(out, out + common::FieldWidth(FieldType::kToken), [](auto b) { return b == 0; });
      if (zero) out[0] = 1;  // all zero means missing
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Rule> AttributeEncoder::EncodeCode(const Attribute& attribute, const Value& value, std::uint8_t* out) {
  const PermitField& permit = *attribute.permit;
  if (permit.coarsening == Coarsening::kAgeClass) {
    if (value.state != ValueState::kPresent) return std::nullopt;
    const Day birth = static_cast<Day>(value.number);
    if (birth > permit.reference_date) return Rule::kAttributeDate;
    const int age = common::AgeInYears(birth, permit.reference_date);
    const auto above = std::upper_bound(permit.age_bounds.begin(), permit.age_bounds.end(), age);
    PutLittleEndian(out, static_cast<std::uint16_t>(above - permit.age_bounds.begin() - 1));
    return std::nullopt;
  }
  std::string_view text = TextOf(attribute, value);
  if (permit.coarsening == Coarsening::kPrefix) text = Prefix(text, permit.prefix_length);
  const auto found = attribute.codes.find(text);
  if (found != attribute.codes.end()) {
    PutLittleEndian(out, found->second);
  } else if (attribute.other != common::kMissingCode) {
    PutLittleEndian(out, attribute.other);
  } else {
    return permit.coarsening == Coarsening::kCodeList ? Rule::kAttributeCodeList : Rule::kAttributeCode;
  }
  return std::nullopt;
}

}  // namespace sluis::cli
