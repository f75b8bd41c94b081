#include "cli/submit/upload.h"

#include <grpcpp/grpcpp.h>

#include <functional>

#include "cli/prepare/encode_rows.h"
#include "common/entry/entry.h"
#include "common/rpc/status_convert.h"
#include "common/tlog/note.h"
#include "common/tlog/writer.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/delivery.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

namespace v1 = linker::v1;
using absl::StatusCode;
using common::testing::IsOk;
using common::testing::StatusIs;

constexpr std::uint32_t kChunkRecords = 8;
constexpr int kRecords = 60;  // 8 chunks

// A linker that keeps what it is sent, logs it and proves it; and lies or breaks as told.
class FakeLinker : public v1::Linker::Service {
 public:
  FakeLinker() {
    auto writer = common::LogWriter::Open(*store_, "example/linker", common::SigningKey::Generate(), "");
    EXPECT_THAT(writer, IsOk());
    log_ = *std::move(writer);
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    stub_ = v1::Linker::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~FakeLinker() override { server_->Shutdown(); }
  v1::Linker::Stub& stub() { return *stub_; }
  std::string log_key() const { return common::FormatVerifierKey(log_->verifier_key()); }

  grpc::Status BeginUpload(grpc::ServerContext*, const v1::BeginUploadRequest* request,
                           v1::BeginUploadResponse* response) override {
    ++begun;
    if (!begin_error.ok()) return common::ToGrpc(begin_error);
    if (header.has_value() && header->SerializeAsString() != request->header().SerializeAsString()) {
      return common::ToGrpc(
          common::WithReason(absl::FailedPreconditionError("in use with another header"), "DELIVERY_ID_TAKEN"));
    }
    header = request->header();
    response->set_next_chunk(claimed_next.value_or(static_cast<std::uint32_t>(chunks.size())));
    response->set_committed(committed);
    return grpc::Status::OK;
  }

  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadRequest>* reader,
                      v1::UploadResponse* response) override {
    v1::UploadRequest message;
    for (int stored = 0; reader->Read(&message); ++stored) {
      if (stored == break_after) return common::ToGrpc(break_with);
      EXPECT_EQ(message.chunk(), chunks.size()) << "a chunk was left out or sent again";
      if (stored == 0) {
        EXPECT_EQ(message.delivery_id(), header->delivery_id());
      }
      chunks.push_back(message);
    }
    response->set_next_chunk(static_cast<std::uint32_t>(chunks.size()) - understated);
    return grpc::Status::OK;
  }

  grpc::Status CommitUpload(grpc::ServerContext*, const v1::CommitUploadRequest* request,
                            v1::CommitUploadResponse* response) override {
    committed = true;
    common::EntryFields fields = {{"project", header->permit_id()},
                                  {"permit_sha256", common::HexEncode(header->permit_sha256())},
                                  {"register", request->register_()},
                                  {"delivery", request->delivery_id()},
                                  {"delivery_sha256", common::HexEncode(request->sha256())}};
    for (const auto& [name, value] : lies) fields[name] = value;
    const std::string entry = common::FormatEntry(entry_type, 1'790'000'000, fields);
    const auto appended = log_->Append(std::span(&entry, 1), common::WriteBatch());
    EXPECT_THAT(appended, IsOk());
    response->mutable_receipt()->set_entry(entry);
    response->mutable_receipt()->set_proof(*log_->ProveInclusion(appended->first_index));
    if (doctor) doctor(*response->mutable_receipt());
    return grpc::Status::OK;
  }

  grpc::Status AbortUpload(grpc::ServerContext*, const v1::AbortUploadRequest*, v1::AbortUploadResponse*) override {
    ++aborted;
    if (!abort_error.ok()) return common::ToGrpc(abort_error);
    header.reset();
    chunks.clear();
    return grpc::Status::OK;
  }

  std::optional<v1::DeliveryHeader> header;
  std::vector<v1::UploadRequest> chunks;
  bool committed = false;
  int begun = 0, aborted = 0;

  absl::Status begin_error, abort_error;
  std::optional<std::uint32_t> claimed_next;
  int break_after = -1;
  absl::Status break_with = absl::UnavailableError("connection lost");
  std::uint32_t understated = 0;
  std::map<std::string, std::string> lies;
  std::string entry_type = common::entry_type::kDelivery;
  std::function<void(v1::Receipt&)> doctor;

 private:
  std::unique_ptr<common::Store> store_ = common::MakeMemoryStore(common::LogFamilies());
  std::unique_ptr<common::LogWriter> log_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Linker::Stub> stub_;
};

class UploadTest : public testing::PrepareTest {
 protected:
  void SetUp() override {
    permit_.log_keys["linker"] = linker_.log_key();
    testing::VectorSource source(DeliveredRows());
    DeliveryJob job;
    job.permit = &permit_;
    job.register_name = "jobs";
    job.delivery_id = "j1";
    SealOptions seal;
    seal.chunk_records = kChunkRecords;
    const common::SecretBytes noise_key = NoiseKey(local_key_, permit_.id);
    seal.noise_key = &noise_key;
    auto state = PrepareDelivery(job, source, holder_, {*cache_, states_, *spill_, random_}, {}, seal);
    SLUIS_ASSERT_OK(state);
    state_ = *std::move(state);
    ASSERT_EQ(state_.header.chunk_sha256.size(), 8u);
  }
  virtual std::vector<testing::Row> DeliveredRows() const { return Jobs(0, kRecords); }
  absl::StatusOr<Receipt> Upload() {
    return UploadDelivery(linker_.stub(), permit_, state_, states_, signing_key_,
                          [this](std::uint64_t sent, std::uint64_t total) {
                            EXPECT_EQ(total, static_cast<std::uint64_t>(kRecords));
                            sent_ = sent;
                          });
  }
  // What the linker has is the spool, whole and in order, and the receipt confirms it.
  void ExpectDelivered(const absl::StatusOr<Receipt>& receipt) {
    SLUIS_ASSERT_OK(receipt);
    auto reader = SpoolReader::Open(states_.SpoolPath("jobs", "j1"), states_.spool_key(), state_.header);
    SLUIS_ASSERT_OK(reader);
    SpoolChunk chunk;
    ASSERT_EQ(linker_.chunks.size(), state_.header.chunk_sha256.size());
    for (const v1::UploadRequest& got : linker_.chunks) {
      ASSERT_TRUE(*(*reader)->Next(chunk));
      EXPECT_EQ(got.records(), chunk.count);
      EXPECT_EQ(got.pseudonyms(), chunk.pseudonyms);
      EXPECT_EQ(got.rows(), chunk.rows);
      EXPECT_EQ(got.encodings(), chunk.encodings);
      EXPECT_EQ(got.sha256(), common::AsChars(linker::ChunkDigest(got.chunk(), {.records = chunk.count,
                                                                                .pseudonyms = got.pseudonyms(),
                                                                                .rows = got.rows(),
                                                                                .encodings = got.encodings()})));
    }
    EXPECT_EQ(sent_, static_cast<std::uint64_t>(kRecords));
    EXPECT_EQ(common::ParseEntry(receipt->entry)->Text("delivery"), "j1");
  }

  FakeLinker linker_;
  SystemRandom random_;
  DeliveryStates states_ = *DeliveryStates::Open(root_ + "/deliveries", local_key_);
  const common::SigningKey signing_key_ = common::SigningKey::Generate();
  DeliveryState state_;
  std::uint64_t sent_ = 0;
};

TEST_F(UploadTest, DeliversTheSpoolAndReturnsACheckedReceipt) { ExpectDelivered(Upload()); }

// A register that is linked by likeness alone.
class EncodedUploadTest : public UploadTest {
 protected:
  EncodedUploadTest() {
    permit_.similarity.emplace();
    for (const char* name : {"surname", "birth_date", "sex", "postcode"}) {
      permit_.similarity->features.push_back({name, common::SimilarityKind::kText, {}, {}});
      permit_.registers[1].features.push_back({name, name});
    }
    permit_.registers[1].match_keys.clear();
    permit_.oprf_public_keys["tokens"] = holder_.key("tokens").public_key();
    cache_ = std::make_unique<PseudonymCache>(*store_, local_key_, permit_);
  }
  std::vector<testing::Row> DeliveredRows() const override {
    std::vector<testing::Row> rows = Jobs(0, kRecords);
    for (testing::Row& row : rows) {
      row.features = {"name-" + row.components[0][0], "1980-01-02", "F", "1234AB"};
      row.components.clear();
    }
    return rows;
  }
};

TEST_F(EncodedUploadTest, DeliversEncodingsUnderTheSignatureOfTheCustodian) {
  ExpectDelivered(Upload());
  const v1::DeliveryHeader& header = *linker_.header;
  EXPECT_EQ(header.match_keys_size(), 0);
  EXPECT_EQ(header.encoding_bytes(), 128u);
  EXPECT_EQ(header.encoding_plan_sha256(), common::AsChars(linker::PlanOf(permit_)->Digest()));
  for (const v1::UploadRequest& chunk : linker_.chunks) EXPECT_EQ(chunk.encodings().size(), chunk.records() * 128u);
  // The linker's own check holds, and fails as soon as another plan is declared.
  linker::DeliveryHeader checked;
  checked.permit_sha256 = permit_.sha256;
  checked.register_name = "jobs";
  checked.delivery_id = "j1";
  checked.records = kRecords;
  checked.row_bytes = header.row_bytes();
  checked.sealed_data_key = header.sealed_data_key();
  checked.schema_sha256 = state_.header.schema_sha256;
  checked.encoding_plan_sha256 = state_.header.encoding_plan_sha256;
  checked.encoding_bytes = header.encoding_bytes();
  SLUIS_EXPECT_OK(
      common::CheckDeliverySignature(linker::StatementOf(checked), signing_key_.public_key, header.signature()));
  checked.encoding_plan_sha256[0] ^= 1;
  EXPECT_EQ(common::ReasonOf(common::CheckDeliverySignature(linker::StatementOf(checked), signing_key_.public_key,
                                                            header.signature())),
            "DELIVERY_SIGNATURE_WRONG");
}

TEST_F(EncodedUploadTest, ContinuesWithTheSameEncodings) {
  linker_.break_after = 3;
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kUnavailable, "linker"));
  linker_.break_after = -1;
  ExpectDelivered(Upload());
}

TEST_F(UploadTest, ContinuesWhereTheStreamBrokeAfterEachChunk) {
  linker_.break_after = 1;
  int attempts = 0;
  absl::StatusOr<Receipt> receipt = Upload();
  for (; !receipt.ok() && attempts < 20; ++attempts) {
    EXPECT_THAT(receipt, StatusIs(StatusCode::kUnavailable, "linker"));
    receipt = Upload();
  }
  EXPECT_EQ(attempts, 7);  // one chunk more each time; after the eighth nothing is left to break
  ExpectDelivered(receipt);
}

TEST_F(UploadTest, ReturnsTheReceiptAgainWithoutSendingAnything) {
  ExpectDelivered(Upload());
  linker_.break_after = 0;
  ExpectDelivered(Upload());
}

TEST_F(UploadTest, RefusesALinkerThatClaimsMoreChunksThanThereAre) {
  linker_.claimed_next = 9;
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "says that it holds 9 chunks of this delivery, which has 8"));
  EXPECT_FALSE(linker_.committed);
}

TEST_F(UploadTest, DoesNotCommitWhatTheLinkerDidNotStore) {
  linker_.understated = 1;
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kAborted, "stored 7 of 8 chunks"));
  EXPECT_FALSE(linker_.committed);
  linker_.understated = 0;
  ExpectDelivered(Upload());
}

TEST_F(UploadTest, PassesOnWhyTheLinkerRefuses) {
  linker_.begin_error = common::WithReason(absl::ResourceExhaustedError("the disk is full"), "DISK_FULL");
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kResourceExhausted, "full"));
  linker_.begin_error = absl::OkStatus();
  linker_.break_after = 3;
  linker_.break_with = common::WithReason(absl::ResourceExhaustedError("no more"), "UPLOAD_LIMIT");
  const auto refused = Upload();
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "the linker answered: no more"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "UPLOAD_LIMIT");
}

TEST_F(UploadTest, RefusesAReceiptAboutSomethingElse) {
  for (const char* field : {"project", "register", "delivery", "permit_sha256"}) {
    linker_.lies = {{field, "other"}};
    EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "about something else")) << field;
  }
  linker_.lies = {{"delivery_sha256", std::string(64, '0')}};
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "confirms other bytes"));
  linker_.lies.clear();
  linker_.entry_type = common::entry_type::kWithdrawal;
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "about something else"));
  linker_.entry_type = common::entry_type::kDelivery;
  SLUIS_EXPECT_OK(Upload());
}

TEST_F(UploadTest, AWithdrawalMayBeOfADeliveryUnderAnEarlierVersionOfThePermit) {
  v1::Receipt receipt;
  linker_.doctor = [&receipt](v1::Receipt& r) { receipt = r; };
  linker_.lies = {{"permit_sha256", std::string(64, 'e')}};
  linker_.entry_type = common::entry_type::kWithdrawal;
  EXPECT_FALSE(Upload().ok());
  SLUIS_EXPECT_OK(CheckReceipt(receipt, permit_, common::entry_type::kWithdrawal, "jobs", "j1"));
  EXPECT_FALSE(CheckReceipt(receipt, permit_, common::entry_type::kWithdrawal, "jobs", "j2").ok());
  linker_.entry_type = common::entry_type::kDelivery;
  EXPECT_FALSE(Upload().ok());
  EXPECT_FALSE(CheckReceipt(receipt, permit_, common::entry_type::kDelivery, "jobs", "j1").ok());
}

TEST_F(UploadTest, RefusesAReceiptWhoseProofIsBroken) {
  const std::vector<std::pair<const char*, std::function<void(v1::Receipt&)>>> faults = {
      {"no proof", [](v1::Receipt& r) { r.clear_proof(); }},
      {"cut short", [](v1::Receipt& r) { r.mutable_proof()->resize(r.proof().size() / 2); }},
      {"signature changed", [](v1::Receipt& r) { r.mutable_proof()->at(r.proof().size() - 10) ^= 1; }},
      {"entry changed", [](v1::Receipt& r) { r.mutable_entry()->back() = ' '; }},
      {"no entry", [](v1::Receipt& r) { r.clear_entry(); }},
  };
  for (const auto& [what, fault] : faults) {
    linker_.doctor = fault;
    EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "the linker's receipt does not hold")) << what;
  }
  linker_.doctor = nullptr;
  permit_.log_keys["linker"] = common::FormatVerifierKey({"example/linker", common::SigningKey::Generate().public_key});
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, "does not hold"));
}

TEST_F(UploadTest, BeginsAnewAnUploadThatWasBegunWithAnotherPredecessor) {
  linker_.break_after = 3;
  EXPECT_FALSE(Upload().ok());
  linker_.break_after = -1;
  state_.header.replaces = "j0";
  ExpectDelivered(Upload());
  EXPECT_EQ(linker_.aborted, 1);
  EXPECT_EQ(linker_.header->replaces(), "j0");
}

TEST_F(UploadTest, DoesNotInsistWhenTheIdIsTakenByACompleteDelivery) {
  linker_.begin_error = common::WithReason(absl::FailedPreconditionError("in use"), "DELIVERY_ID_TAKEN");
  linker_.abort_error = absl::FailedPreconditionError("the delivery is complete and cannot be aborted");
  const auto refused = Upload();
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition, "in use"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "DELIVERY_ID_TAKEN");
  EXPECT_EQ(linker_.begun, 1);
  linker_.abort_error = absl::OkStatus();  // also if it could be aborted, it is tried once
  EXPECT_EQ(common::ReasonOf(Upload().status()), "DELIVERY_ID_TAKEN");
  EXPECT_EQ(linker_.begun, 3);
}

TEST_F(UploadTest, NoticesADamagedSpool) {
  const std::string path = states_.SpoolPath("jobs", "j1");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(Upload(), StatusIs(StatusCode::kDataLoss, ""));
  EXPECT_FALSE(linker_.committed);
}

}  // namespace
}  // namespace sluis::cli
