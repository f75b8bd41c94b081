#include "common/seal/sealed_row.h"

#include "common/crypto/crypto.h"

namespace sluis::common {

std::string SealedRowContext(const Hash256& permit_sha256, std::string_view register_name,
                             std::string_view delivery_id) {
  std::string context = "sluis-row-v2";
  context += AsChars(permit_sha256);
  for (const std::string_view part : {register_name, delivery_id}) {
    AppendBigEndian32(context, static_cast<std::uint32_t>(part.size()));
    context += part;
  }
  return context;
}

std::size_t SealedRowBytes(std::size_t row_width) { return row_width + kAeadOverhead; }

}  // namespace sluis::common
