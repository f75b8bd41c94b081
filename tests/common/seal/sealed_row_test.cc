#include "common/seal/sealed_row.h"

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using testing::StatusIs;

Hash256 Filled(std::uint8_t value) {
  Hash256 hash;
  hash.fill(value);
  return hash;
}

TEST(SealedRowContext, HasTheDocumentedBytes) {
  EXPECT_EQ(SealedRowContext(Filled('p'), "jobs", "d-1"),
            "sluis-row-v2" + std::string(32, 'p') + std::string("\0\0\0\4jobs\0\0\0\3d-1", 15));
}

TEST(SealedRowContext, ARowOpensInItsOwnDeliveryOnly) {
  const SecretBytes key = SecretBytes::Random(kAeadKeySize);
  const std::string sealed = AeadSeal(key, SealedRowContext(Filled(1), "jobs", "d1"), "row");
  EXPECT_EQ(*AeadOpen(key, SealedRowContext(Filled(1), "jobs", "d1"), sealed), "row");
  EXPECT_EQ(sealed.size(), SealedRowBytes(3));
  for (const std::string& context :
       {SealedRowContext(Filled(2), "jobs", "d1"), SealedRowContext(Filled(1), "job", "d1"),
        SealedRowContext(Filled(1), "jobs", "d2"), SealedRowContext(Filled(1), "jobsd", "1")}) {
    EXPECT_THAT(AeadOpen(key, context, sealed), StatusIs(absl::StatusCode::kDataLoss, ""));
  }
}

}  // namespace
}  // namespace sluis::common
