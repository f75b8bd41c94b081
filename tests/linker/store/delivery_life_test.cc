#include <functional>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/record_store.h"
#include "tests/linker/store/country.h"
#include "tests/linker/store/record_store_fixture.h"

// A delivery from its beginning to its commit, replacement, withdrawal or end.

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::IsOk;
using common::testing::StatusIs;
using testing::Append;
using testing::Commit;
using testing::ExamplePermit;
using testing::Extract;
using testing::Jobs;
using testing::kNow;
using testing::MakeExtract;
using testing::Upload;

using DeliveryLife = testing::RecordStoreTest;

TEST_P(DeliveryLife, BeginIsIdempotentForTheSameHeaderOnly) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  const auto again = Begin(Jobs());
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ(again->chunks, 1u);
  EXPECT_EQ(again->records, 4u);
  Extract other = Jobs();
  other.header.manifest_sha256 = common::Sha256("another manifest");
  const auto refused = Begin(other);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, "choose a new delivery id"));
  EXPECT_EQ(ReasonOf(refused.status()), "DELIVERY_ID_TAKEN");
}

TEST_P(DeliveryLife, BeginTakesOnlyWhatTheCustodianSigned) {
  const std::vector<std::pair<std::string, std::function<void(DeliveryHeader&)>>> changes = {
      {"DELIVERY_UNSIGNED", [](auto& h) { h.signature.clear(); }},
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { h.signature[0] ^= 1; }},
      {"DELIVERY_SIGNATURE_WRONG",
       [](auto& h) { h.signature = common::SignDelivery(StatementOf(h), common::SigningKey::Generate()); }},
      // What the permit allows as well, but the custodian did not sign.
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { h.delivery_id = "jobs-2"; }},
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { h.replaces = "jobs-0"; }},
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { ++h.records; }},
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { ++h.row_bytes; }},
      {"DELIVERY_SIGNATURE_WRONG", [](auto& h) { h.sealed_data_key = "the linker's own"; }},
  };
  for (const auto& [reason, change] : changes) {
    Extract extract = Jobs();
    change(extract.header);
    const auto refused = Begin(extract);
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, "delivery header, signature: register jobs:"));
    EXPECT_EQ(ReasonOf(refused.status()), reason);
  }
  EXPECT_TRUE(testing::Everything(*store_).empty());
  SLUIS_EXPECT_OK(Begin(Jobs()));
}

TEST_P(DeliveryLife, UploadBrokenAtAnyChunkIsResumed) {
  for (std::uint32_t broken_at = 0; broken_at <= Jobs().chunks(); ++broken_at) {
    SLUIS_ASSERT_OK(Begin(Jobs()));
    for (std::uint32_t number = 0; number < broken_at; ++number) {
      SLUIS_ASSERT_OK(Append(*records_, Jobs(), number));
    }
    // The client starts again: it begins, is told where it stands, and may even repeat what is there.
    const auto status = Begin(Jobs());
    SLUIS_ASSERT_OK(status);
    EXPECT_EQ(status->chunks, broken_at);
    for (std::uint32_t number = broken_at == 0 ? 0 : broken_at - 1; number < Jobs().chunks(); ++number) {
      SLUIS_ASSERT_OK(Append(*records_, Jobs(), number));
    }
    SLUIS_ASSERT_OK(Commit(*records_, Jobs()));
    EXPECT_EQ(Begin(Jobs())->state, DeliveryState::kCommitted);
    auto withdrawn = records_->PrepareWithdrawal(Jobs().name(), kNow);
    SLUIS_ASSERT_OK(withdrawn);
    SLUIS_ASSERT_OK(records_->Finish(std::move(withdrawn->change)));
    common::WriteBatch forget;
    forget.DeletePrefix(kDeliveries, ExamplePermit().id);
    SLUIS_ASSERT_OK(store_->Write(forget, false));
  }
}

TEST_P(DeliveryLife, RefusesChunksThatDoNotFit) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  const Chunk chunk = Jobs().ChunkAt(0);
  const auto append = [&](std::uint32_t number, const common::Hash256& digest, const Chunk& sent) {
    return records_->AppendChunk(Jobs().name(), number, digest, sent, kNow, Durability::kDeferred).status();
  };
  EXPECT_EQ(ReasonOf(append(0, common::Sha256("wrong"), chunk)), "CHUNK_DAMAGED");
  EXPECT_EQ(ReasonOf(append(0, ChunkDigest(1, chunk), chunk)), "CHUNK_DAMAGED");
  EXPECT_EQ(ReasonOf(append(1, ChunkDigest(1, chunk), chunk)), "CHUNK_OUT_OF_ORDER");
  const Chunk short_rows{chunk.records, chunk.pseudonyms, chunk.rows.substr(1)};
  EXPECT_THAT(append(0, ChunkDigest(0, short_rows), short_rows),
              StatusIs(absl::StatusCode::kInvalidArgument, "48 bytes for each record"));
  const Chunk short_keys{chunk.records, chunk.pseudonyms.substr(32), chunk.rows};
  EXPECT_THAT(append(0, ChunkDigest(0, short_keys), short_keys),
              StatusIs(absl::StatusCode::kInvalidArgument, "2 times 32 bytes"));
  EXPECT_THAT(append(0, ChunkDigest(0, {}), {}), StatusIs(absl::StatusCode::kInvalidArgument, "1 to 8192 records"));
  EXPECT_EQ(records_->Status(Jobs().name())->chunks, 0u);

  SLUIS_ASSERT_OK(append(0, ChunkDigest(0, chunk), chunk));
  EXPECT_EQ(ReasonOf(append(1, ChunkDigest(1, chunk), chunk)), "TOO_MANY_RECORDS");
  const Chunk other = Jobs().ChunkAt(1);
  EXPECT_EQ(ReasonOf(append(0, ChunkDigest(0, other), other)), "CHUNK_DIFFERS");
  EXPECT_EQ(*records_->reader().Rows({.header = Jobs().header}, 0), Jobs().rows[0]);

  EXPECT_THAT(records_->AppendChunk({"jobs", "jobs-2"}, 0, ChunkDigest(0, chunk), chunk, kNow, Durability::kSynced),
              StatusIs(absl::StatusCode::kNotFound, "no such upload"));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 1));
  SLUIS_ASSERT_OK(Commit(*records_, Jobs()));
  EXPECT_EQ(ReasonOf(append(0, ChunkDigest(0, chunk), chunk)), "UPLOAD_ENDED");
}

TEST_P(DeliveryLife, CommitIsIdempotentAndRefusesWhatIsIncomplete) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  EXPECT_THAT(Commit(*records_, Jobs()), StatusIs(absl::StatusCode::kInvalidArgument, "6 records are declared, 4 are"));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 1));
  EXPECT_THAT(records_->PrepareCommit(Jobs().name(), 5, Jobs().Digest(), kNow),
              StatusIs(absl::StatusCode::kInvalidArgument, "the commit 5"));
  const auto wrong = records_->PrepareCommit(Jobs().name(), 6, common::Sha256("wrong"), kNow);
  EXPECT_EQ(ReasonOf(wrong.status()), "UPLOAD_INCOMPLETE");
  EXPECT_EQ(CurrentJobs(), "");

  SLUIS_ASSERT_OK(Commit(*records_, Jobs()));
  EXPECT_EQ(CurrentJobs(), "jobs-1");
  const auto before = testing::Everything(*store_);
  auto again = records_->PrepareCommit(Jobs().name(), 6, Jobs().Digest(), kNow + 99);
  SLUIS_ASSERT_OK(again);
  EXPECT_TRUE(again->already_done);
  EXPECT_EQ(again->delivery.ended_seconds, kNow);
  SLUIS_ASSERT_OK(records_->Finish(std::move(again->change)));
  EXPECT_EQ(testing::Everything(*store_), before);
  EXPECT_THAT(records_->PrepareCommit(Jobs().name(), 6, common::Sha256("wrong"), kNow),
              StatusIs(absl::StatusCode::kInvalidArgument, "another digest"));
}

TEST_P(DeliveryLife, ChangesOfTheCallerAreDurableWithTheCommitOrNotAtAll) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 1));
  {
    auto dropped = records_->PrepareCommit(Jobs().name(), 6, Jobs().Digest(), kNow);
    SLUIS_ASSERT_OK(dropped);
    dropped->change.batch.Put(kDeliveries, "receipt", "signed");
  }
  EXPECT_EQ(CurrentJobs(), "");
  EXPECT_EQ(*store_->Get(kDeliveries, "receipt"), std::nullopt);
  auto prepared = records_->PrepareCommit(Jobs().name(), 6, Jobs().Digest(), kNow);
  SLUIS_ASSERT_OK(prepared);
  prepared->change.batch.Put(kDeliveries, "receipt", "signed");
  SLUIS_ASSERT_OK(records_->Finish(std::move(prepared->change)));
  EXPECT_EQ(CurrentJobs(), "jobs-1");
  EXPECT_EQ(*store_->Get(kDeliveries, "receipt"), "signed");
}

TEST_P(DeliveryLife, LaterDeliveryReplacesTheEarlierAsAWhole) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  // Duplicate submissions are refused before anything is sent.
  const auto duplicate = Begin(MakeExtract("jobs", "jobs-2", {{1, 1}}));
  EXPECT_THAT(duplicate, StatusIs(absl::StatusCode::kFailedPrecondition, "name that one in 'replaces'"));
  EXPECT_EQ(ReasonOf(duplicate.status()), "DELIVERY_NOT_CURRENT");
  EXPECT_THAT(Begin(MakeExtract("benefits", "b-2", {{1}}, 4, "b-1")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "leave 'replaces' empty"));

  const Extract second = MakeExtract("jobs", "jobs-2", {{7, 17}}, 4, "jobs-1");
  const Extract rival = MakeExtract("jobs", "jobs-3", {{8, 18}}, 4, "jobs-1");
  SLUIS_ASSERT_OK(Begin(rival));
  SLUIS_ASSERT_OK(Append(*records_, rival, 0));
  const auto snapshot = records_->Snapshot();
  const DeliveryRecord first = **records_->reader().Current("jobs");
  SLUIS_ASSERT_OK(Upload(*records_, second));
  EXPECT_EQ(CurrentJobs(), "jobs-2");
  EXPECT_TRUE(testing::KeysWith(*store_, kChunks, "/jobs-1/").empty());
  EXPECT_EQ((*records_->reader().Delivery(Jobs().name()))->state, DeliveryState::kReplaced);
  EXPECT_THAT(records_->reader().Rows(first, 0), StatusIs(absl::StatusCode::kNotFound, "replaced or withdrawn"));
  // Who reads a snapshot is not disturbed.
  EXPECT_EQ(*snapshot->reader().Rows(first, 0), Jobs().rows[0]);
  // The slower of two corrections is told, and the replaced one does not come back.
  EXPECT_THAT(Commit(*records_, rival), StatusIs(absl::StatusCode::kFailedPrecondition, "another current delivery"));
  EXPECT_EQ(ReasonOf(Commit(*records_, Jobs())), "UPLOAD_ENDED");
}

TEST_P(DeliveryLife, WithdrawsADeliveryAsAWhole) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  const auto withdraw = [&] {
    absl::StatusOr<PreparedDelivery> prepared = records_->PrepareWithdrawal(Jobs().name(), kNow + 5);
    EXPECT_THAT(records_->Finish(std::move(prepared->change)), IsOk());
    return prepared->already_done;
  };
  EXPECT_FALSE(withdraw());
  EXPECT_EQ(CurrentJobs(), "");
  EXPECT_TRUE(testing::KeysWith(*store_, kChunks, "/jobs-1/").empty());
  EXPECT_TRUE(withdraw());
  EXPECT_EQ(records_->Status(Jobs().name())->state, DeliveryState::kWithdrawn);
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("jobs", "jobs-2", {{7, 17}})));
  EXPECT_THAT(records_->PrepareWithdrawal({"jobs", "jobs-9"}, kNow), StatusIs(absl::StatusCode::kNotFound, "jobs"));
}

TEST_P(DeliveryLife, AbortDeletesAnUploadAndFreesItsId) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  EXPECT_EQ(ReasonOf(records_->PrepareWithdrawal(Jobs().name(), kNow).status()), "DELIVERY_NOT_CURRENT");
  SLUIS_ASSERT_OK(records_->AbortUpload(Jobs().name()));
  EXPECT_TRUE(testing::Everything(*store_).empty());
  EXPECT_THAT(records_->AbortUpload(Jobs().name()), StatusIs(absl::StatusCode::kNotFound, "no such upload"));
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("jobs", "jobs-1", {{7, 17}})));
  EXPECT_EQ(ReasonOf(records_->AbortUpload(Jobs().name())), "UPLOAD_ENDED");
}

TEST_P(DeliveryLife, ExpiresUploadsThatNobodyContinues) {
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("benefits", "b-1", {{1}})));
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 1));  // at kNow + 1
  SLUIS_ASSERT_OK(Begin(MakeExtract("persons", "p-1", {{1, 1}})));
  EXPECT_TRUE(records_->ExpireUploads(kNow + 100, 100)->empty());
  EXPECT_EQ(*records_->ExpireUploads(kNow + 101, 100), (std::vector<DeliveryName>{{"persons", "p-1"}}));
  EXPECT_EQ(*records_->ExpireUploads(kNow + 102, 100), (std::vector<DeliveryName>{{"jobs", "jobs-1"}}));
  EXPECT_TRUE(testing::KeysWith(*store_, kChunks, "/jobs-1/").empty());
  EXPECT_TRUE((*records_->reader().Current("benefits")).has_value());
}

INSTANTIATE_TEST_SUITE_P(, DeliveryLife, ::testing::Values("memory", "rocksdb"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace sluis::linker
