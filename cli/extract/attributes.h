#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/extract/code_list.h"
#include "cli/extract/plan.h"
#include "cli/extract/rules.h"
#include "common/crypto/crypto.h"
#include "common/schema/value.h"

namespace sluis::cli {

// Coarsens the values of a row to the permit's granularity: the only form in which attributes leave the custodian.
// Not thread-safe (one scratch string).
class AttributeEncoder {
 public:
  // `token_key`: 32 random bytes, new for each delivery, so that tokens of two deliveries cannot be compared; null if
  // rows are only checked: tokens are then zero.
  AttributeEncoder(std::shared_ptr<const ExtractPlan> plan, const common::SecretBytes* token_key);

  std::size_t row_width() const { return row_width_; }

  // Writes the attributes one after the other, as common/permit/permit.h lays them out, little-endian. `values`: by
  // schema field. `out`: row_width() bytes. What does not fit is added to `faults` and written as missing. A partly
  // known date keeps what the coarsening needs (the year for kTruncateYear); else it is missing.
  void Encode(std::span<const common::Value> values, std::span<std::uint8_t> out, std::vector<RowFault>& faults);

 private:
  struct Attribute {
    const common::PermitField* permit;
    std::size_t source;
    std::size_t offset;
    TextMap<std::uint16_t> codes;  // text of the source -> position in the permit's codes
    std::uint16_t other = common::kMissingCode;
    std::string token_label;  // so that equal identifiers in two attributes give different tokens
  };
  [[nodiscard]] std::optional<Rule> EncodeOne(const Attribute& attribute, const common::Value& value,
                                              std::uint8_t* out);
  [[nodiscard]] std::optional<Rule> EncodeCode(const Attribute& attribute, const common::Value& value,
                                               std::uint8_t* out);
  std::string_view TextOf(const Attribute& attribute, const common::Value& value);

  std::shared_ptr<const ExtractPlan> plan_;
  std::vector<Attribute> attributes_;
  std::size_t row_width_;
  std::unique_ptr<common::HmacSha256> token_;
  std::string scratch_;
};

}  // namespace sluis::cli
