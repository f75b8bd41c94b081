#include "disclosure/server/opened_registers.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <functional>
#include <map>

#include "common/seal/delivery_statement.h"
#include "common/seal/sealed_row.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

namespace v1 = linker::v1;
using common::testing::StatusIs;
using testing::RowBytes;
using Source = v1::GetLinkSetResponse::Source;

// The registers of the small country, by their position in its permit.
constexpr int kJobs = 1;
constexpr int kBenefits = 2;

// A linker that answers whatever it was told to.
class TalkingLinker final : public v1::Linker::Service {
 public:
  grpc::Status GetLinkSet(grpc::ServerContext*, const v1::GetLinkSetRequest*, v1::GetLinkSetResponse* out) override {
    *out = link_set;
    return grpc::Status::OK;
  }
  grpc::Status FetchRows(grpc::ServerContext*, const v1::FetchRowsRequest* request,
                         grpc::ServerWriter<v1::FetchRowsResponse>* writer) override {
    fetched.push_back(request->register_());
    for (const v1::FetchRowsResponse& message : rows[request->register_()]) {
      if (!writer->Write(message)) break;
    }
    return grpc::Status::OK;
  }

  Source& SourceOf(const std::string& name) {
    return *std::find_if(link_set.mutable_sources()->begin(), link_set.mutable_sources()->end(),
                         [&](const Source& source) { return source.register_() == name; });
  }

  v1::GetLinkSetResponse link_set;
  std::map<std::string, std::vector<v1::FetchRowsResponse>> rows;
  std::vector<std::string> fetched;
};

common::Permit PermitOf(const common::SealingKeyPair& gate, const common::SigningKey& custodian) {
  common::Permit permit = testing::CountryPermit();
  permit.sha256 = common::Sha256("this version of the permit");
  permit.gate_sealing_key = gate.public_key;
  for (common::PermitRegister& reg : permit.registers) {
    reg.schema = "schemas/" + reg.name + ".json";
    reg.match_keys = {"bsn"};
    reg.max_records = 100;
    reg.custodian_key = custodian.public_key;
    permit.attachments.push_back({reg.schema, common::Sha256(reg.schema)});
  }
  return permit;
}

// What a custodian makes of an extract.
struct Delivery {
  common::SecretBytes data_key;
  common::DeliveryStatement statement;
  std::string signature;
  std::vector<std::string> rows;  // sealed

  Source ToSource() const {
    Source source;
    source.set_register_(statement.register_name);
    source.set_delivery_id(statement.delivery_id);
    source.set_replaces(statement.replaces);
    source.set_record_count(statement.record_count);
    source.set_row_bytes(statement.row_bytes);
    source.set_sealed_data_key(statement.sealed_data_key);
    source.set_signature(signature);
    if (statement.encoding_bytes != 0) {
      source.set_encoding_plan_sha256(std::string(common::AsChars(statement.encoding_plan_sha256)));
      source.set_encoding_bytes(statement.encoding_bytes);
    }
    return source;
  }
};

Delivery Deliver(const common::Permit& permit, const std::string& name, const std::string& delivery_id,
                 const std::vector<std::string>& rows, const common::SigningKey& key,
                 const std::string& replaces = "") {
  const common::PermitRegister& reg = *permit.FindRegister(name);
  Delivery delivery;
  delivery.data_key = common::SecretBytes::Random(common::kAeadKeySize);
  delivery.statement = {
      .permit_sha256 = permit.sha256,
      .register_name = name,
      .delivery_id = delivery_id,
      .replaces = replaces,
      .record_count = rows.size(),
      .row_bytes = static_cast<std::uint32_t>(common::SealedRowBytes(reg.RowWidth())),
      .sealed_data_key = common::SealTo(permit.gate_sealing_key, common::AsChars(delivery.data_key.ExposeForUse())),
      .schema_sha256 = permit.FindAttachment(reg.schema)->sha256,
      .match_keys = reg.match_keys};
  delivery.signature = common::SignDelivery(delivery.statement, key);
  for (const std::string& row : rows) {
    delivery.rows.push_back(
        common::AeadSeal(delivery.data_key, common::SealedRowContext(permit.sha256, name, delivery_id), row));
  }
  return delivery;
}

std::string Person(int rooms) { return RowBytes().Code(0).Date(0).Code(0).Code(0).Code(0).Integer(rooms).bytes(); }
std::string Job(int wage) { return RowBytes().Date(0).Date(1).Integer(wage).Token(7).bytes(); }

std::string IdOf(int person) { return std::string(15, 'i') + static_cast<char>(person); }

// Three persons, with jobs of 10, 20, 30 and 40 euros: two of person 0, one of person 2, one not found.
class OpenRegistersTest : public ::testing::Test {
 protected:
  OpenRegistersTest()
      : gate_(common::SealingKeyPair::Generate()),
        custodian_(common::SigningKey::Generate()),
        permit_(PermitOf(gate_, custodian_)),
        persons_(Deliver(permit_, "persons", "p-1", {Person(1), Person(2), Person(3)}, custodian_)),
        jobs_(Deliver(permit_, "jobs", "j-2", {Job(10), Job(20), Job(30), Job(40)}, custodian_, "j-1")) {
    linker_.link_set.set_link_set_id("the link set");
    *linker_.link_set.add_sources() = persons_.ToSource();
    *linker_.link_set.add_sources() = jobs_.ToSource();
    for (int person = 0; person < 3; ++person) Send("persons", person, true, persons_.rows[person]);
    Send("jobs", 0, true, jobs_.rows[0]);
    Send("jobs", 0, true, jobs_.rows[1]);
    Send("jobs", 2, true, jobs_.rows[2]);
    Send("jobs", 9, false, jobs_.rows[3]);
    grpc::ServerBuilder builder;
    builder.RegisterService(&linker_);
    server_ = builder.BuildAndStart();
    stub_ = v1::Linker::NewStub(server_->InProcessChannel({}));
  }
  ~OpenRegistersTest() override { server_->Shutdown(); }

  // A message for each row, so that rows are easily taken away.
  void Send(const std::string& name, int person, bool found, const std::string& row) {
    v1::FetchRowsResponse& message = linker_.rows[name].emplace_back();
    message.set_linkage_ids(IdOf(person));
    message.set_found(std::string(1, found ? 1 : 0));
    message.set_rows(row);
  }
  std::string& SentJob(std::size_t number) { return *linker_.rows["jobs"][number].mutable_rows(); }

  absl::StatusOr<OpenedRegisters> Open(const std::set<int>& used = {kJobs}) {
    common::JobControl control;
    return OpenRegisters(*stub_, permit_, "", used, gate_, control);
  }
  void ExpectRefused(const char* reason) {
    const auto opened = Open();
    EXPECT_THAT(opened, StatusIs(absl::StatusCode::kDataLoss, "register jobs: the linker sent"));
    EXPECT_EQ(common::ReasonOf(opened.status()), reason);
  }
  // Refused before a row was asked for, of this register or of another.
  void ExpectRefusedUnseen(const char* reason) {
    ExpectRefused(reason);
    EXPECT_TRUE(linker_.fetched.empty());
  }

  const common::SealingKeyPair gate_;
  const common::SigningKey custodian_;
  const common::Permit permit_;
  const Delivery persons_, jobs_;
  TalkingLinker linker_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Linker::Stub> stub_;
};

TEST_F(OpenRegistersTest, OpensWhatAnHonestLinkerSends) {
  const auto opened = Open();
  SLUIS_ASSERT_OK(opened);
  EXPECT_EQ(opened->link_set_id, "the link set");
  EXPECT_EQ(opened->registers[0].column(5).integers, (std::vector<std::int64_t>{1, 2, 3}));
  const RegisterColumns& jobs = opened->registers[kJobs];
  EXPECT_EQ(jobs.column(2).integers, (std::vector<std::int64_t>{10, 20, 30, 40}));
  EXPECT_EQ(std::vector<std::int32_t>(jobs.persons().begin(), jobs.persons().end()),
            (std::vector<std::int32_t>{0, 0, 2, -1}));
  EXPECT_EQ(linker_.fetched, (std::vector<std::string>{"persons", "jobs"}));
}

// A record has its key whatever linkage id it comes under and in whatever order: in every link set of the delivery.
TEST_F(OpenRegistersTest, RecordKeysHangOnTheSealedRow) {
  const common::SecretBytes secret = common::SecretBytes::Random(32);
  const RecordKeyMaker keys(secret);
  common::JobControl control;
  EXPECT_TRUE(Open()->record_keys[0].empty());
  const auto first = OpenRegisters(*stub_, permit_, "", {kJobs}, gate_, control, &keys);
  SLUIS_ASSERT_OK(first);
  ASSERT_EQ(first->record_keys.size(), permit_.registers.size());
  ASSERT_EQ(first->record_keys[0].size(), 3u);
  ASSERT_EQ(first->record_keys[kJobs].size(), 4u);
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(first->record_keys[0][row], keys.KeyOf(std::string_view(persons_.rows[row]).substr(0, 24)));
  }
  // Another link set: other ids, another order.
  linker_.rows["persons"].clear();
  linker_.rows["jobs"].clear();
  for (const int person : {2, 0, 1})
    Send("persons", person + 40, true, persons_.rows[static_cast<std::size_t>(person)]);
  for (const int job : {3, 1, 0, 2}) Send("jobs", 40, true, jobs_.rows[static_cast<std::size_t>(job)]);
  const auto second = OpenRegisters(*stub_, permit_, "", {kJobs}, gate_, control, &keys);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(second->record_keys[0][0], first->record_keys[0][2]);
  EXPECT_EQ(second->record_keys[0][1], first->record_keys[0][0]);
  EXPECT_EQ(second->record_keys[0][2], first->record_keys[0][1]);
  EXPECT_EQ(second->record_keys[kJobs][0], first->record_keys[kJobs][3]);
  // Another secret: other keys.
  const RecordKeyMaker others(common::SecretBytes::Random(32));
  const auto third = OpenRegisters(*stub_, permit_, "", {kJobs}, gate_, control, &others);
  SLUIS_ASSERT_OK(third);
  EXPECT_NE(third->record_keys[0], second->record_keys[0]);
}

TEST_F(OpenRegistersTest, OpensAnEmptyRegisterAlsoIfTheLinkerSaysSoInAMessage) {
  const Delivery empty = Deliver(permit_, "jobs", "j-3", {}, custodian_);
  linker_.SourceOf("jobs") = empty.ToSource();
  linker_.rows["jobs"].assign(1, v1::FetchRowsResponse());
  const auto opened = Open();
  SLUIS_ASSERT_OK(opened);
  EXPECT_EQ(opened->registers[kJobs].rows(), 0);
}

TEST_F(OpenRegistersTest, ARegisterThatIsUsedMustHaveADelivery) {
  const auto opened = Open({kJobs, kBenefits});
  EXPECT_THAT(opened, StatusIs(absl::StatusCode::kFailedPrecondition, "register benefits has no delivery"));
  EXPECT_EQ(common::ReasonOf(opened.status()), "DELIVERY_MISSING");
  EXPECT_TRUE(linker_.fetched.empty());
}

TEST_F(OpenRegistersTest, LooksAtNothingOfARegisterThatIsNotUsed) {
  linker_.SourceOf("jobs").clear_signature();
  SLUIS_EXPECT_OK(Open({}));
  EXPECT_EQ(linker_.fetched, (std::vector<std::string>{"persons"}));
}

TEST_F(OpenRegistersTest, RefusesADeliveryWithoutSignature) {
  linker_.SourceOf("jobs").clear_signature();
  ExpectRefusedUnseen("DELIVERY_UNSIGNED");
}

TEST_F(OpenRegistersTest, RefusesRowsThatTheLinkerSealedUnderItsOwnDataKey) {
  const common::SigningKey own = common::SigningKey::Generate();
  const Delivery forged = Deliver(permit_, "jobs", "j-2", {Job(1), Job(2), Job(3), Job(4)}, own, "j-1");
  for (int i = 0; i < 4; ++i) SentJob(i) = forged.rows[i];
  // With the true signature beside it, and with one of its own.
  linker_.SourceOf("jobs").set_sealed_data_key(forged.statement.sealed_data_key);
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
  linker_.SourceOf("jobs") = forged.ToSource();
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesASingleRowOfTheLinkersOwn) {
  const common::SecretBytes own = common::SecretBytes::Random(common::kAeadKeySize);
  SentJob(3) = common::AeadSeal(own, common::SealedRowContext(permit_.sha256, "jobs", "j-2"), Job(1));
  ExpectRefused("ROW_FOREIGN");
}

TEST_F(OpenRegistersTest, RefusesADamagedRow) {
  SentJob(2)[40] ^= 1;
  ExpectRefused("ROW_FOREIGN");
}

TEST_F(OpenRegistersTest, RefusesWhenARowIsOmitted) {
  linker_.rows["jobs"].pop_back();
  ExpectRefused("ROW_COUNT_WRONG");
  // Nor can the linker say that there were fewer.
  linker_.fetched.clear();
  linker_.SourceOf("jobs").set_record_count(3);
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesWhenAllRowsAreOmitted) {
  linker_.rows["jobs"].clear();
  ExpectRefused("ROW_COUNT_WRONG");
}

TEST_F(OpenRegistersTest, RefusesARowTwice) {
  SentJob(3) = jobs_.rows[0];
  ExpectRefused("ROW_REPEATED");
}

TEST_F(OpenRegistersTest, RefusesARowTwiceInOneMessage) {
  v1::FetchRowsResponse& message = linker_.rows["jobs"][2];
  message.set_linkage_ids(IdOf(1) + IdOf(2));
  message.set_found(std::string(2, 1));
  message.set_rows(jobs_.rows[2] + jobs_.rows[2]);
  linker_.rows["jobs"].pop_back();
  ExpectRefused("ROW_REPEATED");
}

TEST_F(OpenRegistersTest, RefusesMoreRowsThanTheCustodianSigned) {
  // The best that a linker can have: a row that the custodian sealed for this very delivery.
  Send("jobs", 1, true,
       common::AeadSeal(jobs_.data_key, common::SealedRowContext(permit_.sha256, "jobs", "j-2"), Job(50)));
  ExpectRefused("ROW_COUNT_WRONG");
  linker_.fetched.clear();
  linker_.SourceOf("jobs").set_record_count(5);
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesARowOfAnotherDelivery) {
  SentJob(1) = Deliver(permit_, "jobs", "j-1", {Job(20)}, custodian_).rows[0];
  ExpectRefused("ROW_FOREIGN");
  // Also if the custodian had used one data key for both, or for another register.
  SentJob(1) = common::AeadSeal(jobs_.data_key, common::SealedRowContext(permit_.sha256, "jobs", "j-1"), Job(20));
  ExpectRefused("ROW_FOREIGN");
  SentJob(1) = common::AeadSeal(jobs_.data_key, common::SealedRowContext(permit_.sha256, "diplomas", "j-2"), Job(20));
  ExpectRefused("ROW_FOREIGN");
}

TEST_F(OpenRegistersTest, RefusesTheDeliveryOfAnotherRegister) {
  Source source = persons_.ToSource();
  source.set_register_("jobs");
  linker_.SourceOf("jobs") = source;
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesADeliveryUnderAnotherVersionOfThePermit) {
  common::Permit earlier = permit_;
  earlier.sha256 = common::Sha256("an earlier version of the permit");
  const Delivery other = Deliver(earlier, "jobs", "j-2", {Job(10), Job(20), Job(30), Job(40)}, custodian_, "j-1");
  linker_.SourceOf("jobs") = other.ToSource();
  for (int i = 0; i < 4; ++i) SentJob(i) = other.rows[i];
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesARowUnderAnotherVersionOfThePermit) {
  SentJob(1) = common::AeadSeal(jobs_.data_key,
                                common::SealedRowContext(common::Sha256("an earlier version"), "jobs", "j-2"), Job(20));
  ExpectRefused("ROW_FOREIGN");
}

TEST_F(OpenRegistersTest, RefusesAnyOtherChangeOfWhatWasSigned) {
  const std::vector<std::function<void(Source&)>> changes = {
      [](Source& s) { s.set_delivery_id("j-3"); },           [](Source& s) { s.clear_replaces(); },
      [](Source& s) { s.set_row_bytes(s.row_bytes() + 1); }, [](Source& s) { (*s.mutable_sealed_data_key())[0] ^= 1; },
      [](Source& s) { (*s.mutable_signature())[0] ^= 1; },   [this](Source& s) { s.set_signature(persons_.signature); },
  };
  for (const auto& change : changes) {
    linker_.SourceOf("jobs") = jobs_.ToSource();
    change(linker_.SourceOf("jobs"));
    ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
  }
}

// The gate is not given the encodings, but which there are was signed with the rest.
TEST_F(OpenRegistersTest, ADeliveryWithEncodingsIsSignedWithTheirPlan) {
  Delivery encoded = Deliver(permit_, "jobs", "j-2", {Job(10), Job(20), Job(30), Job(40)}, custodian_, "j-1");
  for (int i = 0; i < 4; ++i) SentJob(i) = encoded.rows[i];
  encoded.statement.encoding_plan_sha256 = common::Sha256("the plan of the permit");
  encoded.statement.encoding_bytes = 192;
  encoded.signature = common::SignDelivery(encoded.statement, custodian_);
  linker_.SourceOf("jobs") = encoded.ToSource();
  const auto opened = Open();
  SLUIS_ASSERT_OK(opened);
  EXPECT_EQ(opened->registers[kJobs].column(2).integers, (std::vector<std::int64_t>{10, 20, 30, 40}));
  const std::vector<std::function<void(Source&)>> changes = {
      [](Source& s) { (*s.mutable_encoding_plan_sha256())[0] ^= 1; },
      [](Source& s) { s.mutable_encoding_plan_sha256()->push_back('\0'); },
      [](Source& s) { s.set_encoding_bytes(128); },
      [](Source& s) {
        s.clear_encoding_plan_sha256();
        s.clear_encoding_bytes();
      },
  };
  linker_.fetched.clear();
  for (const auto& change : changes) {
    linker_.SourceOf("jobs") = encoded.ToSource();
    change(linker_.SourceOf("jobs"));
    ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
  }
  // Nor can the linker say that a delivery had encodings when it had none.
  linker_.SourceOf("jobs") = jobs_.ToSource();
  linker_.SourceOf("jobs").set_encoding_bytes(192);
  ExpectRefusedUnseen("DELIVERY_SIGNATURE_WRONG");
}

TEST_F(OpenRegistersTest, RefusesPersonsThatTheBackboneLacksOrHasTwice) {
  linker_.rows["jobs"][0].set_linkage_ids(IdOf(8));
  ExpectRefused("ROWS_MALFORMED");
  linker_.rows["persons"][1].set_linkage_ids(IdOf(0));
  EXPECT_EQ(common::ReasonOf(Open().status()), "ROWS_MALFORMED");
}

TEST_F(OpenRegistersTest, RefusesADataKeyThatWasSealedToAnotherGate) {
  common::Permit other = permit_;
  other.gate_sealing_key = common::SealingKeyPair::Generate().public_key;
  linker_.SourceOf("jobs") = Deliver(other, "jobs", "j-2", {Job(10)}, custodian_).ToSource();
  EXPECT_EQ(common::ReasonOf(Open().status()), "DATA_KEY_FOREIGN");
}

// What the signature cannot prevent, as SECURITY.md says.
TEST_F(OpenRegistersTest, BelievesTheLinkerWhichRowsBelongTogetherAndWhichAreFound) {
  std::swap(SentJob(0), SentJob(3));
  linker_.rows["jobs"][1].set_found(std::string(1, '\0'));
  const auto opened = Open();
  SLUIS_ASSERT_OK(opened);
  const RegisterColumns& jobs = opened->registers[kJobs];
  EXPECT_EQ(jobs.column(2).integers, (std::vector<std::int64_t>{40, 20, 30, 10}));
  EXPECT_EQ(std::vector<std::int32_t>(jobs.persons().begin(), jobs.persons().end()),
            (std::vector<std::int32_t>{0, -1, 2, -1}));
}

TEST_F(OpenRegistersTest, TakesAWholeDeliveryThatTheCustodianHasReplacedSince) {
  const Delivery earlier = Deliver(permit_, "jobs", "j-1", {Job(5)}, custodian_);
  linker_.SourceOf("jobs") = earlier.ToSource();
  linker_.rows["jobs"].clear();
  Send("jobs", 1, true, earlier.rows[0]);
  SLUIS_EXPECT_OK(Open());
}

}  // namespace
}  // namespace sluis::disclosure
