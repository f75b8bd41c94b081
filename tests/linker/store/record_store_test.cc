#include "linker/store/record_store.h"

#include <cstring>
#include <filesystem>
#include <thread>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/linker/store/country.h"
#include "tests/linker/store/people.h"
#include "tests/linker/store/record_store_fixture.h"

// What the store keeps, and how; the life of a delivery is in delivery_life_test.cc.

namespace sluis::linker {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using testing::Append;
using testing::Commit;
using testing::ExamplePermit;
using testing::Extract;
using testing::Jobs;
using testing::kNow;
using testing::MakeExtract;
using testing::RecordStoreTest;
using testing::Upload;

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

TEST_P(RecordStoreTest, KeepsEncodingsSealedUnderAKeyOfTheirOwnUntilTheDeliveryGoes) {
  const std::vector<testing::Keys> records(6, {1, 11});
  const std::string encodings = testing::AnyEncodings(6, "people");
  const Extract extract = testing::MakeEncodedExtract("jobs", "jobs-1", records, encodings, 4);
  const std::size_t width = extract.header.encoding_bytes;
  const common::Permit permit = testing::SimilarPermit();
  SLUIS_ASSERT_OK(records_->BeginUpload(extract.header, permit, kNow));
  Chunk other_width = extract.ChunkAt(0);
  other_width.encodings.remove_suffix(1);
  EXPECT_THAT(
      records_->AppendChunk(extract.name(), 0, ChunkDigest(0, other_width), other_width, kNow, Durability::kSynced),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "encodings must have " + std::to_string(width) + " bytes for each record"));
  Chunk none = extract.ChunkAt(0);
  none.encodings = {};
  EXPECT_THAT(records_->AppendChunk(extract.name(), 0, ChunkDigest(0, none), none, kNow, Durability::kSynced),
              StatusIs(absl::StatusCode::kInvalidArgument, "encodings must have " + std::to_string(width) + " bytes"));
  SLUIS_ASSERT_OK(Upload(*records_, extract, permit));
  const DeliveryRecord delivery = **records_->reader().Current("jobs");
  EXPECT_EQ(delivery.header, extract.header);
  EXPECT_EQ(*records_->reader().Encodings(delivery, 1), extract.encodings[1]);
  std::string scanned;
  SLUIS_ASSERT_OK(records_->reader().ScanEncodings(delivery, [&](std::uint64_t first_record, std::string_view bytes) {
    EXPECT_EQ(first_record * width, scanned.size());
    scanned += bytes;
    return absl::OkStatus();
  }));
  EXPECT_EQ(scanned, encodings);
  for (const auto& [key, value] : testing::Everything(*store_)) {
    EXPECT_EQ(value.find(encodings.substr(0, 16)), std::string::npos);
    EXPECT_EQ(value.find(encodings.substr(width, 16)), std::string::npos);
  }
  // Neither as a column of another kind.
  const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
  const std::string at = keys.ChunkKey(delivery.name(), Column::kEncodings, 0);
  EXPECT_FALSE(keys.OpenColumn(Column::kRows, at, HeaderDigest(delivery.header), **store_->Get(kChunks, at)).ok());
  common::WriteBatch remove;
  remove.Delete(kChunks, keys.ChunkKey(delivery.name(), Column::kEncodings, 1));
  SLUIS_ASSERT_OK(store_->Write(remove, false));
  EXPECT_THAT(records_->reader().ScanEncodings(delivery, [](auto, auto) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss, "chunk 1 is missing"));
  auto withdrawn = records_->PrepareWithdrawal(extract.name(), kNow);
  SLUIS_ASSERT_OK(withdrawn);
  SLUIS_ASSERT_OK(records_->Finish(std::move(withdrawn->change)));
  EXPECT_TRUE(testing::KeysWith(*store_, kChunks, "/jobs-1/").empty());
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
    // As format 1 wrote it: without length and bytes of the signature, and the encodings, at the end.
    const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
    const std::string key = keys.DeliveryKey(Jobs().name());
    const std::string bytes = *keys.OpenRecord(key, **(*store)->Get(kDeliveries, key));
    common::WriteBatch batch;
    batch.Put(kDeliveries, key,
              keys.SealRecord(
                  key, std::string_view(bytes).substr(0, bytes.size() - 36 - 4 - Jobs().header.signature.size())));
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
