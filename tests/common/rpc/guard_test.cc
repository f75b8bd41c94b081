#include "common/rpc/guard.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "common/crypto/crypto.h"
#include "common/rpc/status_convert.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "proto/sluis/common/v1/log.grpc.pb.h"
#include "tests/common/document/sample_permit.h"
#include "tests/common/rpc/certificates.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::Certificates;
using ::sluis::common::testing::SamplePermit;
using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;

constexpr char kServer[] = "spiffe://example/keys";
constexpr char kCustodian[] = "spiffe://example/custodian/population";
constexpr char kOffice[] = "spiffe://example/office/statistics";
constexpr char kStranger[] = "spiffe://example/stranger";

// A service whose request names the method under which the guard is asked, so that one RPC tries any table.
class Guarded final : public v1::TransparencyLog::Service {
 public:
  explicit Guarded(const Guard& guard) : guard_(guard) {}
  grpc::Status GetResource(grpc::ServerContext* context, const v1::GetResourceRequest* request,
                           v1::GetResourceResponse* response) override {
    return guard_.Run(*context, request->path(), [&](const Caller& caller) -> absl::Status {
      ++bodies_run;
      response->set_content(caller.identity);
      if (request->path() == "Fails") return WithReason(absl::FailedPreconditionError("not yet"), "NOT_YET");
      if (request->path() == "DiskFull") {
        return WithReason(absl::ResourceExhaustedError("store: cannot write /srv/keys/data/1.log"), "DISK_FULL");
      }
      if (request->path() == "OutOfMemory") throw std::bad_alloc();
      return absl::OkStatus();
    });
  }
  int bodies_run = 0;

 private:
  const Guard& guard_;
};

class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LoadPermits();
    SLUIS_ASSERT_OK(Metrics::Open("", metrics_));
    guard_.emplace(*permits_,
                   Guard::Table{{"Submit", Role::kCustodian},
                                {"Table", Role::kRequester},
                                {"Log", Role::kMember},
                                {"Fails", Role::kMember},
                                {"DiskFull", Role::kMember},
                                {"OutOfMemory", Role::kMember}},
                   *metrics_);
    service_.emplace(*guard_);
    const auto credentials = MakeServerCredentials(certificates_.Issue("server", {kServer}));
    SLUIS_ASSERT_OK(credentials);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", *credentials, &port);
    builder.RegisterService(&*service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  // The sample permit with one approver.
  void LoadPermits() {
    std::string document = SamplePermit();
    for (const std::string name :
         {"schemas/persons.json", "schemas/jobs.json", "hierarchies/sex.csv", "rules/strict.yaml"}) {
      Write(name, "content");
      const std::string zeros = name + ", sha256: " + std::string(64, '0');
      const std::size_t at = document.find(zeros);
      ASSERT_NE(at, std::string::npos) << name;
      document.replace(at, zeros.size(), name + ", sha256: " + HexEncode(AsChars(Sha256("content"))));
    }
    Write("permit.yaml", document);
    const SigningKey anna = SigningKey::Generate();
    const SigningKey bram = SigningKey::Generate();
    SLUIS_ASSERT_OK(ApprovePermit(directory_.path(), "anna", anna));
    SLUIS_ASSERT_OK(ApprovePermit(directory_.path(), "bram", bram));
    auto permits = PermitSet::Load({directory_.path()}, {{"anna", anna.public_key}, {"bram", bram.public_key}}, 2);
    SLUIS_ASSERT_OK(permits);
    permits_ = std::make_unique<PermitSet>(*std::move(permits));
  }
  void Write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path(directory_ / name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }

  // Calls `method` under `identity`; the answer is the identity that the body saw.
  absl::StatusOr<std::string> Call(
      const std::string& identity, const std::string& method,
      std::optional<std::chrono::system_clock::duration> limit = std::chrono::seconds(20)) {
    const auto channel = Connect(certificates_.Issue("client", {identity}), address_, kServer);
    if (!channel.ok()) return channel.status();
    grpc::ClientContext context;
    if (limit.has_value()) context.set_deadline(std::chrono::system_clock::now() + *limit);
    v1::GetResourceRequest request;
    request.set_path(method);
    v1::GetResourceResponse response;
    const grpc::Status status = v1::TransparencyLog::NewStub(*channel)->GetResource(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response.content();
  }

  TemporaryDirectory directory_;
  Certificates certificates_;
  std::unique_ptr<PermitSet> permits_;
  std::unique_ptr<Metrics> metrics_;
  std::optional<Guard> guard_;
  std::optional<Guarded> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(GuardTest, AdmitsWhoHasTheRoleOfTheMethod) {
  EXPECT_EQ(Call(kCustodian, "Submit").value_or("refused"), kCustodian);
  EXPECT_EQ(Call(kOffice, "Table").value_or("refused"), kOffice);
  EXPECT_EQ(Call(kOffice, "Log").value_or("refused"), kOffice);
  EXPECT_EQ(service_->bodies_run, 3);
}

TEST_F(GuardTest, DeniesRolesOfOtherMethodsAndStrangersBeforeTheBody) {
  for (const auto& [identity, method] : {std::pair(kCustodian, "Table"), std::pair(kOffice, "Submit"),
                                         std::pair(kStranger, "Submit"), std::pair(kStranger, "Log")}) {
    const auto answer = Call(identity, method);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kPermissionDenied, "no permit gives it the role"));
    EXPECT_EQ(ReasonOf(answer.status()), "ACCESS_DENIED");
  }
  EXPECT_EQ(service_->bodies_run, 0);
}

TEST_F(GuardTest, DeniesMethodsThatTheTableLacksToEverybody) {
  for (const char* identity : {kCustodian, kOffice, kServer, kStranger}) {
    for (const char* method : {"", "Submi", "Submit2", "submit"}) {
      EXPECT_THAT(Call(identity, method), StatusIs(absl::StatusCode::kPermissionDenied, "")) << method;
    }
  }
  EXPECT_EQ(service_->bodies_run, 0);
}

TEST_F(GuardTest, DemandsADeadlineOfAtMostADay) {
  for (const auto limit : {std::optional<std::chrono::system_clock::duration>(),
                           std::optional<std::chrono::system_clock::duration>(std::chrono::hours(25))}) {
    const auto answer = Call(kCustodian, "Submit", limit);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInvalidArgument, "deadline"));
    EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_REQUIRED");
  }
  EXPECT_EQ(service_->bodies_run, 0);
  SLUIS_EXPECT_OK(Call(kCustodian, "Submit", std::chrono::hours(23)));
}

TEST_F(GuardTest, PassesTheBodysErrorOnWithItsReason) {
  const auto answer = Call(kCustodian, "Fails");
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kFailedPrecondition, "not yet"));
  EXPECT_EQ(ReasonOf(answer.status()), "NOT_YET");
}

TEST_F(GuardTest, TellsNoDirectoryOfTheService) {
  const auto answer = Call(kCustodian, "DiskFull");
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kResourceExhausted, "the disk of the service is full"));
  EXPECT_EQ(std::string(answer.status().message()).find("/srv"), std::string::npos);
  EXPECT_EQ(ReasonOf(answer.status()), "DISK_FULL");
}

TEST_F(GuardTest, LackOfMemoryFailsTheCallNotTheService) {
  EXPECT_THAT(Call(kCustodian, "OutOfMemory"), StatusIs(absl::StatusCode::kResourceExhausted, "out of memory"));
  SLUIS_EXPECT_OK(Call(kCustodian, "Submit"));
}

TEST_F(GuardTest, TellsOfAPermitOnlyThoseWhoHaveTheRoleInIt) {
  const Day valid = *ParseDay("2026-06-01");
  const std::string other_bytes(32, 'x');
  const auto find = [&](const char* identity, Role role, const char* id, const std::string& sha256, Day today,
                        PermitDays days = PermitDays::kValid) {
    return guard_->FindPermit({identity}, role, id, sha256, today, days);
  };
  const auto found = find(kCustodian, Role::kCustodian, "sample-project", "", valid);
  SLUIS_ASSERT_OK(found);
  EXPECT_EQ((*found)->permit.id, "sample-project");
  // An unknown project and one in which the caller is nobody cannot be told apart, whatever else is wrong.
  const absl::Status unknown = find(kCustodian, Role::kCustodian, "other-project", "", valid).status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kPermissionDenied, ""));
  EXPECT_EQ(ReasonOf(unknown), "ACCESS_DENIED");
  const Day too_late = *ParseDay("2040-01-01");
  for (const Day today : {valid, too_late}) {
    for (const std::string& sha256 : {std::string(), other_bytes}) {
      for (const PermitDays days : {PermitDays::kValid, PermitDays::kRetained}) {
        EXPECT_EQ(find(kStranger, Role::kCustodian, "sample-project", sha256, today, days).status(), unknown);
        EXPECT_EQ(find(kCustodian, Role::kRequester, "sample-project", sha256, today, days).status(), unknown);
      }
    }
  }
  const auto reason = [&](const std::string& sha256, const char* day, PermitDays days) {
    return ReasonOf(find(kCustodian, Role::kCustodian, "sample-project", sha256, *ParseDay(day), days).status());
  };
  EXPECT_EQ(reason(other_bytes, "2026-06-01", PermitDays::kValid), "PERMIT_MISMATCH");
  EXPECT_EQ(reason("", "2028-06-01", PermitDays::kValid), "PERMIT_EXPIRED");
  EXPECT_EQ(reason("", "2028-06-01", PermitDays::kRetained), "");
  EXPECT_EQ(reason("", "2029-01-01", PermitDays::kRetained), "RETENTION_ENDED");
}

}  // namespace
}  // namespace sluis::common
