#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

// What a custodian signs about a delivery, so that linker and gate know what it sealed.

namespace sluis::common {

// The facts of a delivery that its custodian vouches for. The rows themselves are bound through `sealed_data_key`: only
// the custodian and the gate ever held the key inside, so that nobody else can seal a row that opens under it.
struct DeliveryStatement {
  Hash256 permit_sha256{};  // of the permit's document
  std::string register_name;
  std::string delivery_id;
  std::string replaces;  // empty: none
  std::uint64_t record_count = 0;
  std::uint32_t row_bytes = 0;  // length of a sealed row
  std::string sealed_data_key;
  Hash256 schema_sha256{};
  std::vector<std::string> match_keys;  // in the permit's order
  Hash256 encoding_plan_sha256{};       // of the similarity encodings; all zero: the delivery has none
  std::uint32_t encoding_bytes = 0;     // length of every record's encodings; 0: none
};

// Returns the bytes that are signed: "sluis-delivery-statement-v1\n", then
//   permit_sha256            32 bytes
//   register_name            length, bytes
//   delivery_id              length, bytes
//   replaces                 length, bytes
//   record_count             8 bytes
//   row_bytes                4 bytes
//   SHA-256(sealed_data_key) 32 bytes
//   schema_sha256            32 bytes
//   match_keys               their number in 4 bytes, then of each length, bytes
// and for a delivery with encodings "sluis-delivery-statement-v2\n", the same, then
//   encoding_plan_sha256     32 bytes
//   encoding_bytes           4 bytes
// Numbers are big-endian, lengths 4 bytes. Two different statements have different bytes.
[[nodiscard]] std::string DeliveryStatementBytes(const DeliveryStatement& statement);

// Returns the Ed25519 signature of the statement, 64 bytes; the same each time.
[[nodiscard]] std::string SignDelivery(const DeliveryStatement& statement, const SigningKey& key);

// Checks `signature` under the register's custodian key in the permit. Does not compare the statement with the permit:
// the caller takes permit, register, schema and match keys from the permit that it holds. About 0.1 ms.
// Errors, both INVALID_ARGUMENT:
//   DELIVERY_UNSIGNED         `signature` is empty
//   DELIVERY_SIGNATURE_WRONG  it is not that key's signature of this statement
[[nodiscard]] absl::Status CheckDeliverySignature(const DeliveryStatement& statement, const PublicKey& custodian_key,
                                                  std::string_view signature);

}  // namespace sluis::common
