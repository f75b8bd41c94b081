#include "common/seal/sealed_row.h"

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

namespace sluis::common {

std::string SealedRowContext(std::string_view permit_id, std::string_view register_name, std::string_view delivery_id) {
  std::string context = "sluis-row-v1";
  for (const std::string_view part : {permit_id, register_name, delivery_id}) {
    AppendBigEndian32(context, static_cast<std::uint32_t>(part.size()));
    context += part;
  }
  return context;
}

std::size_t SealedRowBytes(std::size_t row_width) { return row_width + kAeadOverhead; }

}  // namespace sluis::common
