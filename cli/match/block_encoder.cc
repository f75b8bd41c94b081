#include "cli/match/block_encoder.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/extract/rules.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/encode/normalise.h"

namespace sluis::cli {
namespace {

using common::SchemaField;
using common::Value;
using common::ValueFault;
using common::ValueState;

constexpr std::string_view kTooLong = "VALUE_TOO_LONG";

// Cuts `text` to `bytes` without splitting a character.
void Clip(std::string& text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<std::uint8_t>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
}

}  // namespace

std::string_view TrimValue(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

UsedColumns UsedColumnsOf(const InputColumns& columns) {
  UsedColumns used;
  const auto use = [&](std::size_t index) {
    const auto found = std::ranges::find(used.fields, index);
    const auto position = static_cast<std::size_t>(found - used.fields.begin());
    if (found == used.fields.end()) used.fields.push_back(index);
    return position;
  };
  for (const std::size_t index : columns.features) used.features.push_back(use(index));
  for (const std::size_t index : columns.passes) used.passes.push_back(use(index));
  return used;
}

BlockEncoder::BlockEncoder(const InputOptions& options, const UsedColumns& used)
    : options_(&options),
      used_(&used),
      exact_hasher_(std::make_unique<common::HmacSha256>(common::DeriveKey(*options.key, "sluis-match-exact-v1"))) {
  for (const std::size_t index : used.fields) {
    const SchemaField& field = options.schema->fields[index];
    fields_.push_back({index, common::ValueReader(field), {}, false, {}, {}});
    fields_.back().report.name = field.name;
  }
}

absl::StatusOr<BlockEncoder> BlockEncoder::Make(const InputOptions& options, const UsedColumns& used,
                                                const common::SecretBytes& noise_key) {
  BlockEncoder made(options, used);
  if (options.plan->encoding.features.empty()) return made;
  auto encoder = linker::RecordEncoder::Make(options.plan->encoding, *options.seeds,
                                             {.noise_key = &noise_key, .date_orders = options.columns->date_orders});
  if (!encoder.ok()) return encoder.status();
  made.encoder_.emplace(*std::move(encoder));
  return made;
}

absl::StatusOr<EncodedBlock> BlockEncoder::Encode(const RawBlock& block) {
  EncodedBlock out;
  out.exact.resize(used_->passes.size());
  for (std::size_t record = 0; record < block.records(); ++record) {
    for (std::size_t i = 0; i < fields_.size(); ++i) ReadValue(block.value(record * fields_.size() + i), fields_[i]);
    SLUIS_RETURN_IF_ERROR(AddExact(out));
    if (encoder_) SLUIS_RETURN_IF_ERROR(AddEncoding(out));
  }
  return out;
}

void BlockEncoder::AddReports(std::vector<FieldReport>& fields, std::vector<std::string>& first_values) const {
  fields.resize(fields_.size());
  first_values.resize(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const FieldReport& mine = fields_[i].report;
    FieldReport& all = fields[i];
    all.name = mine.name;
    all.missing += mine.missing;
    for (const auto& [rule, count] : mine.warnings) all.warnings[rule] += count;
    if (fields_[i].first.empty()) continue;
    all.constant =
        first_values[i].empty() ? mine.constant : all.constant && mine.constant && first_values[i] == fields_[i].first;
    if (first_values[i].empty()) first_values[i] = fields_[i].first;
  }
}

void BlockEncoder::ReadValue(std::string_view raw, Field& used) {
  const SchemaField& field = options_->schema->fields[used.index];
  Value value;
  const ValueFault fault = used.reader.Read(raw, value);
  used.text.clear();
  if (fault == ValueFault::kElevenTest) {
    ++used.report.warnings[std::string(RuleCode(Rule::kIdentifierElevenTest))];
  } else if (fault == ValueFault::kNone) {
    common::AppendComparable(field, value, used.text);
  } else {
    ++used.report.warnings[std::string(RuleCode(RuleOf(fault)))];
    const std::string_view text = TrimValue(raw);
    const std::optional<Value> typed = common::ParseTyped(field, text);
    if (fault == ValueFault::kRequired) {
      used.text.clear();
    } else if (typed && typed->state != ValueState::kMissing) {
      common::AppendComparable(field, *typed, used.text);
    } else {
      used.text = text;
    }
  }
  used.clipped = used.text.size() > linker::kMaxTokenisedBytes;
  if (used.clipped) {
    ++used.report.warnings[std::string(kTooLong)];
    Clip(used.text, linker::kMaxTokenisedBytes);
  }
  if (used.text.empty()) {
    ++used.report.missing;
  } else if (used.first.empty()) {
    used.first = used.text;
    used.report.constant = true;
  } else if (used.report.constant && used.text != used.first) {
    used.report.constant = false;
  }
}

absl::Status BlockEncoder::AddExact(EncodedBlock& out) {
  for (std::size_t pass = 0; pass < used_->passes.size(); ++pass) {
    // The beginning of a long identifier is not the identifier.
    const Field& field = fields_[used_->passes[pass]];
    const std::string_view text = field.clipped ? std::string_view() : field.text;
    const auto normaliser = options_->plan->passes[pass].normaliser == linker::ExactNormaliser::kBsn
                                ? common::Normaliser::kBsn
                                : common::Normaliser::kText;
    SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> normal, linker::Normalise(normaliser, text));
    linker::Token token{0, 0};
    if (normal && !normal->empty()) {
      const common::Hash256 hash = exact_hasher_->Compute(absl::StrCat(pass, ":"), *normal);
      std::memcpy(&token, hash.data(), sizeof(token));
    }
    out.exact[pass].push_back(token);
  }
  return absl::OkStatus();
}

absl::Status BlockEncoder::AddEncoding(EncodedBlock& out) {
  values_.clear();
  for (const std::size_t position : used_->features) values_.push_back(fields_[position].text);
  SLUIS_RETURN_IF_ERROR(encoder_->Encode(values_, encoding_));
  out.present.push_back(encoding_.present);
  out.words.insert(out.words.end(), encoding_.words.begin(), encoding_.words.end());
  return absl::OkStatus();
}

}  // namespace sluis::cli
