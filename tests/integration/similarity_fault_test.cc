#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "common/bytes/secret.h"
#include "gtest/gtest.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"
#include "tests/integration/linker_store_view.h"
#include "tests/integration/world.h"
#include "tests/long_tests.h"

// kill -9 of the linker while it links by similarity. Linked again by the same request, everyone has the links that a
// linkage makes that nothing disturbed, and what the linker says of the job meanwhile is true.

namespace sluis::testing {
namespace {

using linker::v1::GetLinkJobResponse;
using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kCallTimeout(20);
constexpr std::uint64_t kSeed = 20261122;
// Of a linkage with encodings the passes are the first half.
constexpr std::uint32_t kPassesPercent = 50;
constexpr int kMostRounds = 20;

class SimilarityFault : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.MakeCountry();
    world_.SubmitAll();
    if (HasFatalFailure()) return;
    world_.Stop("linker");
    std::filesystem::copy(linker_, before_, std::filesystem::copy_options::recursive);
    world_.Start("linker");
  }

  // The linker as it was before anything was linked.
  void StartFreshLinker() {
    world_.Stop("linker");
    std::filesystem::remove_all(linker_);
    std::filesystem::copy(before_, linker_, std::filesystem::copy_options::recursive);
    world_.Start("linker");
  }

  std::unique_ptr<linker::v1::Linker::Stub> Linker() const {
    return linker::v1::Linker::NewStub(world_.Channel("office", "linker"));
  }
  void StartLink(linker::v1::Linker::Stub& linker) const {
    linker::v1::StartLinkRequest request;
    request.set_permit_id(World::kPermitId);
    const common::Hash256 permit = world_.Permit().sha256;
    request.set_permit_sha256(std::string(common::AsChars(permit)));
    request.set_request_id(kRequest);
    linker::v1::StartLinkResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    const grpc::Status status = linker.StartLink(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.job_id(), kRequest);
  }
  grpc::Status GetJob(linker::v1::Linker::Stub& linker, GetLinkJobResponse& response) const {
    linker::v1::GetLinkJobRequest request;
    request.set_permit_id(World::kPermitId);
    request.set_job_id(kRequest);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    return linker.GetLinkJob(&context, request, &response);
  }
  // Asks until the job has come so far, or has ended.
  GetLinkJobResponse WaitFor(linker::v1::Linker::Stub& linker, std::uint32_t percent) const {
    GetLinkJobResponse job;
    const auto end = std::chrono::steady_clock::now() + kCallTimeout;
    do {
      std::this_thread::sleep_for(milliseconds(2));
      const grpc::Status status = GetJob(linker, job);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok()) break;
      EXPECT_LT(std::chrono::steady_clock::now(), end);
    } while (job.state() == GetLinkJobResponse::RUNNING && job.percent() < percent &&
             std::chrono::steady_clock::now() < end);
    return job;
  }

  // By register and record the record on the backbone that has the same linkage id, -1 if none has.
  std::map<std::string, std::vector<std::ptrdiff_t>> LinksThatAreStored() const {
    constexpr std::size_t kIdBytes = 16;
    const LinkerStoreView view = OpenLinkerStore(world_);
    std::map<std::string, std::ptrdiff_t> person_of;
    const std::string& persons = view.registers.at("persons").linkage_ids;
    for (std::size_t at = 0; at < persons.size(); at += kIdBytes) {
      person_of.emplace(persons.substr(at, kIdBytes), at / kIdBytes);
    }
    EXPECT_EQ(person_of.size() * kIdBytes, persons.size());
    std::map<std::string, std::vector<std::ptrdiff_t>> links;
    for (const auto& [name, columns] : view.registers) {
      for (std::size_t at = 0; at < columns.linkage_ids.size(); at += kIdBytes) {
        const auto person = person_of.find(columns.linkage_ids.substr(at, kIdBytes));
        links[name].push_back(person == person_of.end() ? -1 : person->second);
      }
    }
    return links;
  }

  static constexpr char kRequest[] = "link-by-similarity";
  World world_;
  const std::string linker_ = world_ / "services/linker", before_ = world_ / "linker-before";
};

// What was told of the registers, without the link set's id.
std::string ReportsOf(GetLinkJobResponse job) {
  job.clear_link_set_id();
  return job.DebugString();
}

TEST_F(SimilarityFault, ALinkageThatWasKilledIsMadeAsIfNothingHadHappened) {
  GetLinkJobResponse expected;
  milliseconds span{};  // of the linking by similarity
  {
    const auto linker = Linker();
    ASSERT_NO_FATAL_FAILURE(StartLink(*linker));
    WaitFor(*linker, kPassesPercent);
    const auto begin = std::chrono::steady_clock::now();
    expected = WaitFor(*linker, 101);
    span = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  }
  ASSERT_EQ(expected.state(), GetLinkJobResponse::DONE);
  world_.Stop("linker");
  const auto links = LinksThatAreStored();
  world_.Start("linker");
  ASSERT_GT(std::count_if(links.at("diplomas").begin(), links.at("diplomas").end(), [](auto p) { return p >= 0; }),
            300);

  std::mt19937_64 random(kSeed);
  int hindered = 0;
  const int rounds = Repetitions(2, 30);
  for (int round = 0; (round < rounds || hindered == 0) && round < kMostRounds + rounds && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    StartFreshLinker();
    {
      const auto linker = Linker();
      ASSERT_NO_FATAL_FAILURE(StartLink(*linker));
      const GetLinkJobResponse job = WaitFor(*linker, kPassesPercent);
      std::this_thread::sleep_for(milliseconds(random() % std::max<std::int64_t>(1, span.count())));
      world_.Kill("linker");
      EXPECT_GE(job.percent(), kPassesPercent);
    }
    world_.Start("linker");
    const auto linker = Linker();
    GetLinkJobResponse job;
    const grpc::Status status = GetJob(*linker, job);
    const bool unknown = status.error_code() == grpc::StatusCode::NOT_FOUND;
    hindered += unknown ? 1 : 0;
    // Done, or unknown, with what is to be done about it; never as running, since nothing runs.
    EXPECT_TRUE(unknown || job.state() == GetLinkJobResponse::DONE) << status.error_message();
    if (unknown) {
      EXPECT_NE(status.error_message().find("start it again with the same request id"), std::string::npos);
      EXPECT_EQ(world_.AuditLog("linker").by_type["link-set"], 0u);
    }
    ASSERT_NO_FATAL_FAILURE(StartLink(*linker));
    job = WaitFor(*linker, 101);
    EXPECT_EQ(ReportsOf(job), ReportsOf(expected));
    EXPECT_EQ(world_.AuditLog("linker").by_type["link-set"], 1u);
    world_.Stop("linker");
    EXPECT_EQ(LinksThatAreStored(), links);
    world_.Start("linker");
  }
  EXPECT_GT(hindered, 0) << "no kill came in time";
}

}  // namespace
}  // namespace sluis::testing
