#include "linker/store/record_store.h"

#include <filesystem>
#include <thread>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/linker/store/country.h"

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::IsOk;
using common::testing::StatusIs;
using testing::Append;
using testing::Commit;
using testing::ExamplePermit;
using testing::Extract;
using testing::kNow;
using testing::MakeExtract;
using testing::Upload;

// Every test runs on memory and on RocksDB.
class RecordStoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  RecordStoreTest() {
    if (std::string(GetParam()) == "memory") {
      store_ = common::MakeMemoryStore(RecordStore::Families());
    } else {
      std::string path = ::testing::TempDir() + "/record_store_XXXXXX";
      directory_ = mkdtemp(path.data());
      common::RocksDbOptions options;
      options.families = RecordStore::Families();
      options.format_version = RecordStore::kFormatVersion;
      store_ = *common::OpenRocksDb(directory_, options);
    }
    records_ = std::make_unique<RecordStore>(*store_, ExamplePermit().id, testing::StorageKey());
  }
  ~RecordStoreTest() override {
    records_.reset();
    store_.reset();
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
    }
  }

  absl::StatusOr<UploadStatus> Begin(const Extract& extract) {
    return records_->BeginUpload(extract.header, ExamplePermit(), kNow);
  }
  std::string CurrentJobs() {
    const auto current = records_->reader().Current("jobs");
    return current.ok() && *current ? (*current)->header.delivery_id : "";
  }

  std::string directory_;
  std::unique_ptr<common::Store> store_;
  std::unique_ptr<RecordStore> records_;
};

const Extract& Jobs() {
  static const Extract extract = MakeExtract("jobs", "jobs-1", {{1, 11}, {2, 12}, {2, 0}, {0, 0}, {3, 13}, {1, 11}});
  return extract;
}

TEST_P(RecordStoreTest, KeepsWhatWasUploaded) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  const auto current = records_->reader().Current("jobs");
  SLUIS_ASSERT_OK(current);
  ASSERT_TRUE(current->has_value());
  const DeliveryRecord& delivery = **current;
  EXPECT_EQ(delivery.header, Jobs().header);
  EXPECT_EQ(delivery.state, DeliveryState::kCommitted);
  EXPECT_EQ(delivery.chunks, 2u);
  EXPECT_EQ(delivery.sha256, Jobs().Digest());
  for (const std::uint32_t chunk : {0, 1}) {
    EXPECT_EQ(*records_->reader().Pseudonyms(delivery, chunk), Jobs().pseudonyms[chunk]);
    EXPECT_EQ(*records_->reader().Rows(delivery, chunk), Jobs().rows[chunk]);
  }
  EXPECT_THAT(records_->reader().Rows(delivery, 2), StatusIs(absl::StatusCode::kNotFound, "chunk 2"));
  const auto chunks = records_->reader().Chunks(delivery);
  SLUIS_ASSERT_OK(chunks);
  ASSERT_EQ(chunks->size(), 2u);
  EXPECT_EQ((*chunks)[1].records, 2u);
  EXPECT_EQ((*chunks)[1].records_through, 6u);
}

TEST_P(RecordStoreTest, JoinTokensAreEqualIfAndOnlyIfKeyAndPseudonymAre) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("benefits", "benefits-1", {{2}, {11}})));
  const auto tokens_of = [&](const std::string& name) {
    std::vector<Token> tokens;  // record after record
    const auto delivery = records_->reader().Current(name);
    EXPECT_THAT(records_->reader().ScanTokens(**delivery,
                                              [&](const TokenChunk& chunk) {
                                                const std::size_t columns = chunk.tokens.size() / chunk.count;
                                                EXPECT_EQ(chunk.first_record * columns, tokens.size());
                                                for (std::size_t i = 0; i < chunk.count; ++i) {
                                                  for (std::size_t c = 0; c < columns; ++c) {
                                                    tokens.push_back(chunk.tokens[c * chunk.count + i]);
                                                  }
                                                }
                                                return absl::OkStatus();
                                              }),
                IsOk());
    return tokens;
  };
  const std::vector<Token> jobs = tokens_of("jobs"), benefits = tokens_of("benefits");
  ASSERT_EQ(jobs.size(), 12u);
  ASSERT_EQ(benefits.size(), 2u);
  // The n-th token of a record is absent, or equal to another's, just as its number is.
  const std::vector<std::uint64_t> numbers = {1, 11, 2, 12, 2, 0, 0, 0, 3, 13, 1, 11};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(jobs[i].absent(), numbers[i] == 0);
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      EXPECT_EQ(jobs[i] == jobs[j], numbers[i] == numbers[j]) << i << " " << j;
    }
  }
  EXPECT_EQ(benefits[0], jobs[2]);
  // 11 under "bsn" is another thing than 11 under "birth_sex_name".
  EXPECT_NE(benefits[1], jobs[1]);
  // The definition, by hand.
  const common::HmacSha256 hmac(common::DeriveKey(testing::StorageKey(), "sluis-linker-v1 join"));
  const common::Hash256 mac = hmac.Compute("bsn" + testing::PseudonymOf(2));
  EXPECT_EQ(std::memcmp(&benefits[0], mac.data(), sizeof(Token)), 0);
}

TEST_P(RecordStoreTest, StoresNothingInTheClear) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  std::vector<std::string> secrets = {"sealed row", Jobs().header.sealed_data_key};
  for (std::uint64_t number = 1; number < 14; ++number) {
    secrets.push_back(testing::PseudonymOf(number));
    const common::HmacSha256 hmac(common::DeriveKey(testing::StorageKey(), "sluis-linker-v1 join"));
    secrets.push_back(std::string(common::AsChars(hmac.Compute("bsn", testing::PseudonymOf(number)))).substr(0, 16));
  }
  const auto all = testing::Everything(*store_);
  EXPECT_EQ(all.size(), 2u + 2 * 4);  // delivery, current; four values a chunk
  for (const auto& [key, value] : all) {
    for (const std::string& secret : secrets) {
      EXPECT_EQ((key + value).find(secret), std::string::npos);
    }
  }
}

TEST_P(RecordStoreTest, ValuesOpenOnlyInTheirPlaceAndUnderTheirKey) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  const DeliveryRecord delivery = **records_->reader().Current("jobs");
  const RecordStore stranger(*store_, ExamplePermit().id, common::SecretBytes::Random(32));
  EXPECT_THAT(stranger.reader().Current("jobs"), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));

  const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
  const std::string from = keys.ChunkKey(delivery.name(), Column::kRows, 0);
  const std::string to = keys.ChunkKey(delivery.name(), Column::kRows, 1);
  common::WriteBatch swap;
  swap.Put(kChunks, to, **store_->Get(kChunks, from));
  SLUIS_ASSERT_OK(store_->Write(swap, false));
  EXPECT_THAT(records_->reader().Rows(delivery, 1), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  // Nor as a column of another kind, nor under the same id with another header.
  common::WriteBatch move;
  move.Put(kChunks, keys.ChunkKey(delivery.name(), Column::kPseudonyms, 0), **store_->Get(kChunks, from));
  SLUIS_ASSERT_OK(store_->Write(move, false));
  EXPECT_THAT(records_->reader().Pseudonyms(delivery, 0), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  DeliveryRecord other = delivery;
  other.header.sealed_data_key = "another";
  EXPECT_THAT(records_->reader().Rows(other, 0), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
}

TEST_P(RecordStoreTest, MissingChunkIsDataLoss) {
  SLUIS_ASSERT_OK(Upload(*records_, Jobs()));
  const DeliveryRecord delivery = **records_->reader().Current("jobs");
  const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
  common::WriteBatch batch;
  batch.Delete(kChunks, keys.ChunkKey(delivery.name(), Column::kTokens, 1));
  SLUIS_ASSERT_OK(store_->Write(batch, false));
  EXPECT_THAT(records_->reader().ScanTokens(delivery, [](const TokenChunk&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss, "chunk 1 is missing"));
}

TEST_P(RecordStoreTest, BeginIsIdempotentForTheSameHeaderOnly) {
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

TEST_P(RecordStoreTest, BeginTakesOnlyWhatTheCustodianSigned) {
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

TEST_P(RecordStoreTest, UploadBrokenAtAnyChunkIsResumed) {
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

TEST_P(RecordStoreTest, RefusesChunksThatDoNotFit) {
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

TEST_P(RecordStoreTest, CommitIsIdempotentAndRefusesWhatIsIncomplete) {
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

TEST_P(RecordStoreTest, ChangesOfTheCallerAreDurableWithTheCommitOrNotAtAll) {
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

TEST_P(RecordStoreTest, LaterDeliveryReplacesTheEarlierAsAWhole) {
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

TEST_P(RecordStoreTest, WithdrawsADeliveryAsAWhole) {
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

TEST_P(RecordStoreTest, AbortDeletesAnUploadAndFreesItsId) {
  SLUIS_ASSERT_OK(Begin(Jobs()));
  SLUIS_ASSERT_OK(Append(*records_, Jobs(), 0));
  EXPECT_EQ(ReasonOf(records_->PrepareWithdrawal(Jobs().name(), kNow).status()), "DELIVERY_NOT_CURRENT");
  SLUIS_ASSERT_OK(records_->AbortUpload(Jobs().name()));
  EXPECT_TRUE(testing::Everything(*store_).empty());
  EXPECT_THAT(records_->AbortUpload(Jobs().name()), StatusIs(absl::StatusCode::kNotFound, "no such upload"));
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("jobs", "jobs-1", {{7, 17}})));
  EXPECT_EQ(ReasonOf(records_->AbortUpload(Jobs().name())), "UPLOAD_ENDED");
}

TEST_P(RecordStoreTest, ExpiresUploadsThatNobodyContinues) {
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

TEST_P(RecordStoreTest, AcceptsAnEmptyRegister) {
  SLUIS_ASSERT_OK(Upload(*records_, MakeExtract("jobs", "jobs-1", {})));
  EXPECT_EQ(CurrentJobs(), "jobs-1");
}

TEST_P(RecordStoreTest, ReadsOnAfterAFullDisk) {
  testing::FailingStore failing(*store_);
  RecordStore records(failing, ExamplePermit().id, testing::StorageKey());
  SLUIS_ASSERT_OK(records.BeginUpload(Jobs().header, ExamplePermit(), kNow));
  SLUIS_ASSERT_OK(Append(records, Jobs(), 0));
  failing.writes_left = 0;
  EXPECT_THAT(Append(records, Jobs(), 1), StatusIs(absl::StatusCode::kResourceExhausted, "full"));
  EXPECT_EQ(records.Status(Jobs().name())->chunks, 1u);
  failing.writes_left.reset();
  SLUIS_ASSERT_OK(Append(records, Jobs(), 1));
  failing.writes_left = 0;
  EXPECT_THAT(Commit(records, Jobs()), StatusIs(absl::StatusCode::kResourceExhausted, "full"));
  EXPECT_EQ(CurrentJobs(), "");
  failing.writes_left.reset();
  SLUIS_ASSERT_OK(Commit(records, Jobs()));
  EXPECT_EQ(CurrentJobs(), "jobs-1");
}

TEST_P(RecordStoreTest, CustodiansUploadAtTheSameTime) {
  std::vector<Extract> extracts;
  for (const char* name : {"persons", "jobs", "benefits"}) {
    std::vector<testing::Keys> records(300, {1, 2});
    extracts.push_back(MakeExtract(name, "d-1", records));
  }
  std::vector<std::thread> threads;
  for (const Extract& extract : extracts) {
    threads.emplace_back([&] { EXPECT_THAT(Upload(*records_, extract), IsOk()); });
    threads.emplace_back([&] { EXPECT_THAT(records_->ExpireUploads(kNow + 1, 1'000), IsOk()); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Extract& extract : extracts) {
    EXPECT_EQ((*records_->reader().Current(extract.header.register_name))->sha256, extract.Digest());
  }
}

INSTANTIATE_TEST_SUITE_P(, RecordStoreTest, ::testing::Values("memory", "rocksdb"),
                         [](const auto& info) { return std::string(info.param); });

struct BrokenField {
  std::string message;
  std::function<void(DeliveryHeader&)> make;
};

TEST(CheckHeader, FailsIfAnyFieldIsNotThePermits) {
  const common::Permit permit = ExamplePermit();
  SLUIS_EXPECT_OK(CheckHeader(Jobs().header, permit));
  const std::vector<BrokenField> broken = {
      {"delivery_id", [](auto& h) { h.delivery_id = ""; }},
      {"delivery_id", [](auto& h) { h.delivery_id = "a/b"; }},
      {"delivery_id", [](auto& h) { h.delivery_id = std::string(64, 'a'); }},
      {"delivery_id", [](auto& h) { h.delivery_id = ".hidden"; }},
      {"replaces", [](auto& h) { h.replaces = "a/b"; }},
      {"replaces", [](auto& h) { h.replaces = h.delivery_id; }},
      {"permit_id", [](auto& h) { h.permit_id = "another"; }},
      {"permit_sha256", [](auto& h) { h.permit_sha256[0] ^= 1; }},
      {"register", [](auto& h) { h.register_name = "taxes"; }},
      {"records", [](auto& h) { h.records = 10'000'001; }},
      {"match_keys", [](auto& h) { std::swap(h.match_keys[0], h.match_keys[1]); }},
      {"match_keys", [](auto& h) { h.match_keys.pop_back(); }},
      {"row_bytes", [](auto& h) { h.row_bytes = 0; }},
      {"row_bytes", [](auto& h) { h.row_bytes = kMaxRowBytes + 1; }},
      {"sealed_data_key", [](auto& h) { h.sealed_data_key.clear(); }},
      {"sealed_data_key", [](auto& h) { h.sealed_data_key.resize(5000); }},
      {"schema_sha256", [](auto& h) { h.schema_sha256[0] ^= 1; }},
  };
  for (const BrokenField& field : broken) {
    DeliveryHeader header = Jobs().header;
    field.make(header);
    EXPECT_THAT(CheckHeader(header, permit),
                StatusIs(absl::StatusCode::kInvalidArgument, "delivery header, " + field.message + ":"));
  }
}

TEST(DecodeDelivery, FailsOnAnyPrefix) {
  DeliveryRecord delivery;
  delivery.header = Jobs().header;
  const std::string bytes = EncodeDelivery(delivery);
  SLUIS_ASSERT_OK(DecodeDelivery(bytes));
  const std::size_t format_1 = bytes.size() - 4 - delivery.header.signature.size();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (size == format_1) {
      continue;
    }
    EXPECT_THAT(DecodeDelivery(bytes.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss, "format"));
  }
  EXPECT_THAT(DecodeDelivery(bytes + "x"), StatusIs(absl::StatusCode::kDataLoss, "format"));
}

TEST(RecordStoreMigration, KeepsDeliveriesOfFormat1AsUnsignedOnes) {
  std::string path = ::testing::TempDir() + "/record_store_XXXXXX";
  const std::string directory = mkdtemp(path.data());
  common::RocksDbOptions options;
  options.families = RecordStore::Families();
  options.format_version = 1;
  options.migrate = RecordStore::Migrate;
  {
    const auto store = common::OpenRocksDb(directory, options);
    SLUIS_ASSERT_OK(store);
    RecordStore records(**store, ExamplePermit().id, testing::StorageKey());
    SLUIS_ASSERT_OK(Upload(records, Jobs()));
    // As format 1 wrote it: without length and bytes of the signature at the end.
    const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
    const std::string key = keys.DeliveryKey(Jobs().name());
    const std::string bytes = *keys.OpenRecord(key, **(*store)->Get(kDeliveries, key));
    common::WriteBatch batch;
    batch.Put(
        kDeliveries, key,
        keys.SealRecord(key, std::string_view(bytes).substr(0, bytes.size() - 4 - Jobs().header.signature.size())));
    SLUIS_ASSERT_OK((*store)->Write(batch, true));
  }
  options.format_version = RecordStore::kFormatVersion;
  {
    const auto store = common::OpenRocksDb(directory, options);
    SLUIS_ASSERT_OK(store);
    RecordStore records(**store, ExamplePermit().id, testing::StorageKey());
    const DeliveryRecord delivery = **records.reader().Current("jobs");
    EXPECT_EQ(delivery.header.signature, "");
    EXPECT_EQ(*records.reader().Rows(delivery, 0), Jobs().rows[0]);
    SLUIS_EXPECT_OK(Upload(records, MakeExtract("jobs", "jobs-2", {{1, 11}}, 4, "jobs-1")));
    EXPECT_EQ((**records.reader().Current("jobs")).header.signature.size(), 64u);
  }
  options.format_version = 1;
  EXPECT_THAT(common::OpenRocksDb(directory, options), StatusIs(absl::StatusCode::kFailedPrecondition, "newer"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sluis::linker
