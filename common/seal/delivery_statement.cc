#include "common/seal/delivery_statement.h"

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendBigEndian32(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

}  // namespace

std::string DeliveryStatementBytes(const DeliveryStatement& statement) {
  const bool encodings = statement.encoding_bytes != 0 || statement.encoding_plan_sha256 != Hash256{};
  std::string out = encodings ? "sluis-delivery-statement-v2\n" : "sluis-delivery-statement-v1\n";
  out += AsChars(statement.permit_sha256);
  AppendBytes(out, statement.register_name);
  AppendBytes(out, statement.delivery_id);
  AppendBytes(out, statement.replaces);
  AppendBigEndian64(out, statement.record_count);
  AppendBigEndian32(out, statement.row_bytes);
  out += AsChars(Sha256(statement.sealed_data_key));
  out += AsChars(statement.schema_sha256);
  AppendBigEndian32(out, static_cast<std::uint32_t>(statement.match_keys.size()));
  for (const std::string& match_key : statement.match_keys) AppendBytes(out, match_key);
  if (encodings) {
    out += AsChars(statement.encoding_plan_sha256);
    AppendBigEndian32(out, statement.encoding_bytes);
  }
  return out;
}

std::string SignDelivery(const DeliveryStatement& statement, const SigningKey& key) {
  return Sign(key, DeliveryStatementBytes(statement));
}

absl::Status CheckDeliverySignature(const DeliveryStatement& statement, const PublicKey& custodian_key,
                                    std::string_view signature) {
  if (signature.empty()) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat(
                          "register ", statement.register_name,
                          ": the delivery is not signed; its custodian submits it with its signing key (signing_key "
                          "in the configuration of sluis)")),
                      "DELIVERY_UNSIGNED");
  }
  if (!VerifySignature(custodian_key, DeliveryStatementBytes(statement), signature)) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat(
                          "register ", statement.register_name,
                          ": the signature does not fit the delivery and the custodian_key that the permit names")),
                      "DELIVERY_SIGNATURE_WRONG");
  }
  return absl::OkStatus();
}

}  // namespace sluis::common
