#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/rpc/status_convert.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "proto/sluis/disclosure/v1/disclosure.grpc.pb.h"
#include "tests/integration/world.h"

// What the gate keeps, for how long, and how often it may be asked.

namespace sluis::testing {
namespace {

using common::testing::StatusIs;
namespace v1 = disclosure::v1;

constexpr std::chrono::seconds kTimeout(20);

class Office {
 public:
  explicit Office(const World& world) : stub_(v1::Gate::NewStub(world.Channel("office", "gate"))) {
    permit_sha256_ = std::string(common::AsChars(world.Permit().sha256));
  }
  // Returns the job id.
  absl::StatusOr<std::string> Start(const std::string& document, bool dry_run) const {
    v1::StartTableRequest request;
    request.set_permit_sha256(permit_sha256_);
    request.set_request_document(document);
    request.set_dry_run(dry_run);
    v1::StartTableResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kTimeout);
    const absl::Status status = common::FromGrpc(stub_->StartTable(&context, request, &response));
    if (!status.ok()) return status;
    return response.job_id();
  }
  // Waits for the end of a job. The time limit of the test is what ends a wait in vain.
  v1::GetTableJobResponse Await(const std::string& job) const {
    v1::GetTableJobRequest request;
    request.set_permit_id(World::kPermitId);
    request.set_job_id(job);
    v1::GetTableJobResponse response;
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kTimeout);
      SLUIS_EXPECT_OK(common::FromGrpc(stub_->GetTableJob(&context, request, &response)));
    } while (response.state() == v1::GetTableJobResponse::RUNNING);
    return response;
  }

 private:
  std::unique_ptr<v1::Gate::Stub> stub_;
  std::string permit_sha256_;
};

using Files = std::map<std::string, std::string>;

absl::StatusOr<Files> Collect(grpc::ClientReader<v1::FileChunk>& reader) {
  Files files;
  for (v1::FileChunk chunk; reader.Read(&chunk);) files[chunk.name()] += chunk.content();
  const absl::Status status = common::FromGrpc(reader.Finish());
  if (!status.ok()) return status;
  return files;
}

absl::StatusOr<Files> GetRelease(const World& world, const std::string& release) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  v1::GetReleaseRequest request;
  request.set_permit_id(World::kPermitId);
  request.set_release_id(release);
  return Collect(*v1::Gate::NewStub(world.Channel("office", "gate"))->GetRelease(&context, request));
}

absl::StatusOr<Files> GetEvidence(const World& world, const std::string& release) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  v1::GetEvidenceRequest request;
  request.set_permit_id(World::kPermitId);
  request.set_release_id(release);
  return Collect(*v1::Gate::NewStub(world.Channel("auditor", "gate"))->GetEvidence(&context, request));
}

// Puts another date into the permit and has it approved.
void ChangePermit(World& world, const std::string& from, const std::string& to) {
  std::string document = ReadWhole(world / "permit/permit.yaml");
  ASSERT_NE(document.find(from), std::string::npos);
  document.replace(document.find(from), from.size(), to);
  WriteWhole(world / "permit/permit.yaml", document);
  for (const std::string officer : {"anna", "bram"}) {
    std::filesystem::remove(world / ("permit/permit.yaml." + officer + ".sig"));
    const Outcome approved =
        world.Sluis({"permit", "approve", "permit", "--name", officer, "--key", "approvers/" + officer + ".key"});
    ASSERT_EQ(approved.exit_code, 0) << approved.err;
  }
}

void Release(World& world) {
  world.MakeCountry();
  world.SubmitAll();
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  WriteWhole(world / "request.yaml", SmallRequest("work"));
  const Outcome released = world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  ASSERT_EQ(released.exit_code, 0) << released.err;
}

TEST(Gate, ServesReleasesAfterThePermitExpiredAndDeletesThemWhenRetentionEnds) {
  World world;
  Release(world);
  if (HasFatalFailure()) return;
  auto before = GetRelease(world, "work");
  SLUIS_ASSERT_OK(before);
  const auto evidence = GetEvidence(world, "work");
  SLUIS_ASSERT_OK(evidence);
  before->erase("release.tlog-proof");  // against the newest checkpoint

  world.Stop("gate");
  ChangePermit(world, "not_after: \"2049-12-31\"", "not_after: \"2024-12-31\"");
  world.Start("gate");
  if (HasFatalFailure()) return;
  auto expired = GetRelease(world, "work");
  SLUIS_ASSERT_OK(expired);
  for (const auto& [name, bytes] : *before) EXPECT_EQ((*expired)[name], bytes) << name;
  EXPECT_GE(before->size(), 3u);
  const auto evidence_again = GetEvidence(world, "work");
  SLUIS_ASSERT_OK(evidence_again);
  EXPECT_EQ(*evidence_again, *evidence);
  // By the commands, too.
  const Outcome late = world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "late"});
  EXPECT_EQ(late.exit_code, 0) << late.err;
  const Outcome sealed = world.SluisAs("auditor", "evidence", {"--release-id", "work", "--out", "late.sealed"});
  EXPECT_EQ(sealed.exit_code, 0) << sealed.err;
  {
    const Office office(world);
    const auto job = office.Start(SmallRequest("work"), false);
    SLUIS_ASSERT_OK(job);
    EXPECT_EQ(office.Await(*job).state(), v1::GetTableJobResponse::DONE);
    const absl::Status anew = office.Start(SmallRequest("anew"), false).status();
    EXPECT_EQ(common::ReasonOf(anew), "PERMIT_EXPIRED") << anew;
    EXPECT_EQ(common::ReasonOf(office.Start(SmallRequest("work"), true).status()), "PERMIT_EXPIRED");
  }
  EXPECT_EQ(world.AuditLog("gate").by_type["retention"], 0u);

  world.Stop("gate");
  ChangePermit(world, "retention_end: \"2050-12-31\"", "retention_end: \"2025-01-31\"");
  for (int start = 0; start < 2; ++start) {  // the second finds nothing left to do
    world.Start("gate");
    if (HasFatalFailure()) return;
    EXPECT_EQ(common::ReasonOf(GetRelease(world, "work").status()), "RETENTION_ENDED");
    EXPECT_EQ(common::ReasonOf(GetEvidence(world, "work").status()), "RETENTION_ENDED");
    EXPECT_EQ(common::ReasonOf(Office(world).Start(SmallRequest("work"), false).status()), "RETENTION_ENDED");
    EXPECT_EQ(world.AuditLog("gate").by_type["retention"], 1u);
    world.Stop("gate");
  }
  // What was destroyed does not come back with a permit that lasts longer.
  ChangePermit(world, "retention_end: \"2025-01-31\"", "retention_end: \"2050-12-31\"");
  const Outcome refused = world.Run("sluis-disclosured", {"serve", "--config", "services/gate.yaml"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("RETENTION_ENDED"), std::string::npos) << refused.err;
}

TEST(Gate, RunsADryRunAnewEachTime) {
  World world;
  world.MakeCountry();
  world.SubmitAll();
  if (HasFatalFailure()) return;
  const Office office(world);
  const auto link_set = [&](const std::string& job) {
    const v1::GetTableJobResponse done = office.Await(job);
    EXPECT_EQ(done.state(), v1::GetTableJobResponse::DONE) << done.message();
    return nlohmann::json::parse(done.summary_json())["link_set"].get<std::string>();
  };
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  const auto first = office.Start(SmallRequest("work"), true);
  SLUIS_ASSERT_OK(first);
  const std::string before = link_set(*first);
  // The data changes: a register is delivered anew, and linked.
  const std::string jobs = ReadWhole(world / "country/jobs.csv");
  WriteWhole(world / "country/shorter.csv", jobs.substr(0, jobs.rfind('\n', jobs.size() - 2) + 1));
  const Outcome corrected =
      world.Sluis(World::Submit("employment", "jobs", "jobs-2", "country/shorter.csv", {"--replaces", "jobs-1"}));
  ASSERT_EQ(corrected.exit_code, 0) << corrected.err;
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  const auto second = office.Start(SmallRequest("work"), true);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(*second, *first);
  EXPECT_NE(link_set(*second), before);
  EXPECT_EQ(world.AuditLog("gate").by_type["dry-run"], 2u);
}

TEST(Gate, LogsTheSameRefusalOnceAndEndsTheQuestionsOfADay) {
  World world;
  const auto refusals = [&] { return world.AuditLog("gate").by_type["refusal"]; };
  const auto document = [](int i) {
    std::string request = SmallRequest("work");
    const std::string field = "persons.age_class";
    return request.replace(request.find(field), field.size(), "persons.household") + "# " + std::to_string(i) + "\n";
  };
  {
    const Office office(world);
    const absl::Status refused = office.Start(document(0), false).status();
    EXPECT_FALSE(refused.ok());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(office.Start(document(0), false).status(), refused);
    EXPECT_EQ(refusals(), 1u);
    for (int i = 1; i < 100; ++i) EXPECT_EQ(office.Start(document(i), false).status(), refused);
    EXPECT_EQ(refusals(), 100u);
  }
  for (int start = 0; start < 2; ++start) {  // a restart forgives nothing
    const Office office(world);
    for (const bool dry_run : {false, true}) {
      const absl::Status ended = office.Start(document(100), dry_run).status();
      EXPECT_THAT(ended, StatusIs(absl::StatusCode::kResourceExhausted, "100 questions today"));
      EXPECT_EQ(common::ReasonOf(ended), "TOO_MANY_QUESTIONS");
    }
    EXPECT_EQ(refusals(), 100u);
    world.Stop("gate");
    world.Start("gate");
  }
}

}  // namespace
}  // namespace sluis::testing
