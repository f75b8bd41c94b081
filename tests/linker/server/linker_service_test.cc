#include "linker/server/linker_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <thread>

#include "common/rpc/status_convert.h"
#include "common/rpc/tls.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/common/rpc/certificates.h"
#include "tests/linker/server/project.h"

// Limits and dates, through the service's own door.

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::StatusIs;
using testing::Project;
using testing::Terms;

constexpr char kLinker[] = "spiffe://example/linker";
constexpr char kRequester[] = "spiffe://example/office/statistics";
constexpr char kGate[] = "spiffe://example/gate";
constexpr char kPopulation[] = "spiffe://example/custodian/population";

class Served {
 public:
  explicit Served(const Terms& terms = {}, const RecordStoreOptions& options = {})
      : project(terms, options),
        service_(*project.permits, project.stores, *project.store, *project.log, *project.metrics, {}) {
    const auto credentials = common::MakeServerCredentials(certificates_.Issue("server", {kLinker}));
    EXPECT_TRUE(credentials.ok());
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", *credentials, &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~Served() { server_->Shutdown(std::chrono::system_clock::now()); }

  // Calls a method of one request and one response.
  template <typename Request, typename Response>
  absl::Status Call(const std::string& identity,
                    grpc::Status (v1::Linker::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    const auto stub = StubOf(identity);
    grpc::ClientContext context;
    SetDeadline(context);
    return common::FromGrpc(((*stub).*method)(&context, request, &response));
  }
  std::unique_ptr<v1::Linker::Stub> StubOf(const std::string& identity) {
    const auto channel = common::Connect(certificates_.Issue("client", {identity}), address_, kLinker);
    EXPECT_TRUE(channel.ok());
    return v1::Linker::NewStub(*channel);
  }
  static void SetDeadline(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  absl::Status StartLink(const std::string& request_id) {
    v1::StartLinkRequest request;
    request.set_permit_id(project.permit().id);
    request.set_permit_sha256(std::string(common::AsChars(project.permit().sha256)));
    request.set_request_id(request_id);
    v1::StartLinkResponse response;
    return Call(kRequester, &v1::Linker::Stub::StartLink, request, response);
  }
  // Links and waits for the end.
  v1::GetLinkJobResponse Link(const std::string& request_id) {
    v1::GetLinkJobResponse response;
    const absl::Status started = StartLink(request_id);
    EXPECT_TRUE(started.ok()) << started;
    while (started.ok()) {
      const absl::Status got = GetLinkJob(request_id, response);
      EXPECT_TRUE(got.ok()) << got;
      if (!got.ok() || response.state() != v1::GetLinkJobResponse::RUNNING) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(response.state(), v1::GetLinkJobResponse::DONE) << response.message();
    return response;
  }
  absl::Status GetLinkJob(const std::string& request_id, v1::GetLinkJobResponse& response) {
    v1::GetLinkJobRequest request;
    request.set_permit_id(project.permit().id);
    request.set_job_id(request_id);
    return Call(kRequester, &v1::Linker::Stub::GetLinkJob, request, response);
  }
  // `link_set_id` empty: the newest.
  absl::StatusOr<v1::GetLinkSetResponse> GetLinkSet(const std::string& link_set_id = "") {
    v1::GetLinkSetRequest request;
    request.set_permit_id(project.permit().id);
    request.set_permit_sha256(std::string(common::AsChars(project.permit().sha256)));
    request.set_link_set_id(link_set_id);
    v1::GetLinkSetResponse response;
    const absl::Status status = Call(kGate, &v1::Linker::Stub::GetLinkSet, request, response);
    if (!status.ok()) return status;
    return response;
  }
  absl::Status FetchRows(const std::string& link_set_id) {
    v1::FetchRowsRequest request;
    request.set_permit_id(project.permit().id);
    request.set_link_set_id(link_set_id);
    request.set_register_("persons");
    const auto stub = StubOf(kGate);
    grpc::ClientContext context;
    SetDeadline(context);
    const auto reader = stub->FetchRows(&context, request);
    for (v1::FetchRowsResponse rows; reader->Read(&rows);) {
    }
    return common::FromGrpc(reader->Finish());
  }
  template <typename Request>
  Request Naming(const std::string& delivery_id) {
    Request request;
    request.set_permit_id(project.permit().id);
    request.set_register_("persons");
    request.set_delivery_id(delivery_id);
    return request;
  }
  absl::Status Withdraw(const std::string& delivery_id) {
    v1::WithdrawResponse response;
    return Call(kPopulation, &v1::Linker::Stub::Withdraw, Naming<v1::WithdrawRequest>(delivery_id), response);
  }
  absl::Status AbortUpload(const std::string& delivery_id) {
    v1::AbortUploadResponse response;
    return Call(kPopulation, &v1::Linker::Stub::AbortUpload, Naming<v1::AbortUploadRequest>(delivery_id), response);
  }
  // Begins an upload as the custodian of persons.
  absl::Status BeginUpload(const DeliveryHeader& header) {
    v1::BeginUploadRequest request;
    v1::DeliveryHeader& out = *request.mutable_header();
    const auto bytes = [](const common::Hash256& hash) { return std::string(common::AsChars(hash)); };
    out.set_permit_id(header.permit_id);
    out.set_permit_sha256(bytes(header.permit_sha256));
    out.set_register_(header.register_name);
    out.set_delivery_id(header.delivery_id);
    out.set_record_count(header.records);
    for (const std::string& key : header.match_keys) out.add_match_keys(key);
    out.set_row_bytes(header.row_bytes);
    out.set_sealed_data_key(header.sealed_data_key);
    out.set_schema_sha256(bytes(header.schema_sha256));
    out.set_manifest_sha256(bytes(header.manifest_sha256));
    out.set_encoding_plan_sha256(bytes(header.encoding_plan_sha256));
    out.set_encoding_bytes(header.encoding_bytes);
    out.set_signature(header.signature);
    v1::BeginUploadResponse response;
    return Call(kPopulation, &v1::Linker::Stub::BeginUpload, request, response);
  }
  std::size_t LinkSetEntries() const { return project.Entries(common::entry_type::kLinkSet).size(); }

  Project project;

 private:
  common::testing::Certificates certificates_;
  LinkerService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST(LinkerService, AnswersAnotherRequestOverTheSameDeliveriesWithTheSameReport) {
  Served served;
  served.project.Deliver("persons", "p-1");
  served.project.Deliver("jobs", "j-1");
  const v1::GetLinkJobResponse first = served.Link("one");
  ASSERT_EQ(first.reports_size(), 1);
  EXPECT_FALSE(first.reports(0).withheld());
  EXPECT_EQ(served.Link("two").SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(served.Link("one").SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(served.LinkSetEntries(), 1u);
  const auto newest = served.GetLinkSet();
  SLUIS_ASSERT_OK(newest);
  EXPECT_EQ(newest->link_set_id(), first.link_set_id());
}

TEST(LinkerService, ReportsWhatSimilarityLinkedInWholePercents) {
  Served served({.similarity = true});
  served.project.Deliver("persons", "p-1");
  served.project.Deliver("jobs", "j-1");
  const v1::GetLinkJobResponse linked = served.Link("one");
  ASSERT_EQ(linked.reports_size(), 1);
  const v1::RegisterReport& jobs = linked.reports(0);
  EXPECT_EQ(jobs.passes(0).linked_entities(), 80u);  // 75, rounded to tens
  ASSERT_TRUE(jobs.has_similarity());
  const v1::SimilarityReport& similarity = jobs.similarity();
  EXPECT_EQ(similarity.outcome(), v1::SimilarityReport::CREDIBLE);
  EXPECT_EQ(similarity.linked_entities(), 80u);
  EXPECT_EQ(similarity.linked_records(), 80u);
  EXPECT_GE(similarity.precision().value(), 90u);
  for (const v1::EstimatedPercent& percent : {similarity.precision(), similarity.recall()}) {
    EXPECT_LE(percent.low(), percent.value());
    EXPECT_LE(percent.value(), percent.high());
    EXPECT_LE(percent.high(), 100u);
  }
  EXPECT_EQ(jobs.unlinked_entities(), 0u);
  // Without encodings nothing is said of similarity.
  Served exact;
  exact.project.Deliver("persons", "p-1");
  exact.project.Deliver("jobs", "j-1");
  EXPECT_FALSE(exact.Link("one").reports(0).has_similarity());
}

TEST(LinkerService, TakesEncodingsByThePermitsPlanOnly) {
  Served served({.similarity = true});
  const DeliveryHeader good = served.project.Header("persons", "p-1");
  const auto refused = [&](auto change) {
    DeliveryHeader header = good;
    change(header);
    served.project.Sign(header);
    return served.BeginUpload(header);
  };
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(refused([](DeliveryHeader& h) { h.encoding_plan_sha256[0] ^= 1; }),
              StatusIs(code, "encoding_plan_sha256: is not the permit's encoding plan"));
  EXPECT_THAT(refused([](DeliveryHeader& h) { h.encoding_bytes -= 8; }), StatusIs(code, "encoding_bytes"));
  EXPECT_THAT(refused([](DeliveryHeader& h) {
                h.encoding_bytes = 0;
                h.encoding_plan_sha256 = {};
              }),
              StatusIs(code, "encoding_plan_sha256"));
  SLUIS_EXPECT_OK(served.BeginUpload(good));
}

TEST(LinkerService, AWithdrawalTakesTheComparisonsWithIt) {
  Served served({.similarity = true});
  served.project.Deliver("persons", "p-1");
  served.project.Deliver("jobs", "j-1");
  const auto kept = [&](const std::string& folder) {
    std::size_t keys = 0;
    SLUIS_EXPECT_OK(served.project.store->Scan(kLinkSets, served.project.permit().id + folder, {},
                                               [&](std::string_view, std::string_view) { return ++keys > 0; }));
    return keys;
  };
  served.Link("one");
  EXPECT_GT(kept("/comparison/"), 0u);
  EXPECT_EQ(kept("/compared/"), 2u);
  SLUIS_ASSERT_OK(served.Withdraw("p-1"));
  EXPECT_EQ(kept("/comparison/"), 0u);
  EXPECT_EQ(kept("/compared/"), 0u);
}

TEST(LinkerService, TellsTheOperatorOfAComparisonThatDoesNotOpenAndLinksAllTheSame) {
  Served served({.similarity = true});
  served.project.Deliver("persons", "p-1");
  served.project.Deliver("jobs", "j-1");
  const v1::GetLinkJobResponse before = served.Link("one");
  common::WriteBatch damage;
  SLUIS_ASSERT_OK(served.project.store->Scan(kLinkSets, served.project.permit().id + "/comparison/", {},
                                             [&](std::string_view key, std::string_view value) {
                                               damage.Put(kLinkSets, key, std::string(value) + "x");
                                               return true;
                                             }));
  damage.DeletePrefix(kLinkSets, served.project.permit().id + "/set/");
  SLUIS_ASSERT_OK(served.project.store->Write(damage, false));
  ::testing::internal::CaptureStderr();
  const v1::GetLinkJobResponse after = served.Link("two");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("comparison_damaged"), std::string::npos) << log;
  ASSERT_EQ(after.reports_size(), before.reports_size());
  for (int i = 0; i < after.reports_size(); ++i) {
    EXPECT_EQ(after.reports(i).DebugString(), before.reports(i).DebugString());
  }
}

TEST(LinkerService, RefusesToLinkOnceThePermitsLinkSetsAreMade) {
  Served served({.max_link_sets = 2});
  served.project.Deliver("persons", "p-1");
  const std::string first = served.Link("one").link_set_id();
  served.project.Deliver("jobs", "j-1");
  const std::string second = served.Link("two").link_set_id();
  EXPECT_NE(first, second);
  served.project.Deliver("jobs", "j-2", "j-1");
  const absl::Status refused = served.StartLink("three");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "new version of the permit"));
  EXPECT_EQ(ReasonOf(refused), "LINK_SET_LIMIT");
  EXPECT_EQ(served.LinkSetEntries(), 2u);
  v1::GetLinkJobResponse response;
  EXPECT_EQ(ReasonOf(served.GetLinkJob("three", response)), "JOB_UNKNOWN");
  // What was made can still be asked for.
  EXPECT_EQ(served.Link("two").link_set_id(), second);
}

TEST(LinkerService, TellsThatALinkSetWasDeleted) {
  Served served({}, {.kept_link_sets = 1});
  served.project.Deliver("persons", "p-1");
  const std::string first = served.Link("one").link_set_id();
  SLUIS_EXPECT_OK(served.FetchRows(first));
  served.project.Deliver("jobs", "j-1");
  const std::string second = served.Link("two").link_set_id();
  v1::GetLinkJobResponse response;
  for (const absl::Status& status :
       {served.GetLinkSet(first).status(), served.FetchRows(first), served.GetLinkJob("one", response)}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "the link set was deleted"));
    EXPECT_EQ(ReasonOf(status), "LINK_SET_DELETED");
  }
  EXPECT_EQ(served.GetLinkSet()->link_set_id(), second);
  SLUIS_EXPECT_OK(served.FetchRows(second));
  // Its entry stays.
  EXPECT_EQ(served.LinkSetEntries(), 2u);
}

TEST(LinkerService, TheGateGetsTheLinkSetThatStandsAfterAWithdrawal) {
  Served served;
  served.project.Deliver("persons", "p-1");
  const std::string first = served.Link("one").link_set_id();
  served.project.Deliver("jobs", "j-1");
  const std::string second = served.Link("two").link_set_id();
  EXPECT_EQ(served.GetLinkSet()->link_set_id(), second);
  auto withdrawal = served.project.records()->PrepareWithdrawal({"jobs", "j-1"}, testing::kNow);
  SLUIS_ASSERT_OK(withdrawal);
  SLUIS_ASSERT_OK(served.project.records()->Finish(std::move(withdrawal->change)));
  withdrawal->change.locks.clear();
  EXPECT_EQ(ReasonOf(served.GetLinkSet(second).status()), "LINK_SET_STALE");
  EXPECT_EQ(served.Link("three").link_set_id(), first);
  EXPECT_EQ(served.GetLinkSet()->link_set_id(), first);
}

TEST(LinkerService, ACustodianCanTakeBackAfterThePermitHasExpiredUntilRetentionEnds) {
  Served served({.not_after = -1, .retention_end = 0});
  served.project.Deliver("persons", "p-1");
  SLUIS_ASSERT_OK(served.project.records()->BeginUpload(served.project.Header("persons", "p-2", "p-1"),
                                                        served.project.permit(), testing::kNow));
  EXPECT_EQ(ReasonOf(served.StartLink("one")), "PERMIT_EXPIRED");
  v1::BeginUploadRequest request;
  request.mutable_header()->set_permit_id(served.project.permit().id);
  request.mutable_header()->set_register_("persons");
  for (std::string* hash :
       {request.mutable_header()->mutable_permit_sha256(), request.mutable_header()->mutable_schema_sha256(),
        request.mutable_header()->mutable_manifest_sha256()}) {
    hash->assign(32, 'h');
  }
  v1::BeginUploadResponse response;
  EXPECT_EQ(ReasonOf(served.Call(kPopulation, &v1::Linker::Stub::BeginUpload, request, response)), "PERMIT_EXPIRED");
  SLUIS_EXPECT_OK(served.AbortUpload("p-2"));
  SLUIS_EXPECT_OK(served.Withdraw("p-1"));
  EXPECT_EQ(served.project.Entries(common::entry_type::kWithdrawal).size(), 1u);
}

TEST(LinkerService, AfterThePermitHasExpiredAJobCanBeFollowedButNothingIsHandedOut) {
  Served served({.not_after = -1, .retention_end = 0});
  // What a linkage of the last day left: its request and its link set.
  served.project.Deliver("persons", "p-1");
  served.project.Deliver("jobs", "j-1");
  auto prepared = LinkProject(*served.project.records(), served.project.permit(), common::SecretBytes::Random(32), {},
                              testing::kNow);
  SLUIS_ASSERT_OK(prepared);
  const std::string id = common::HexOf(prepared->id);
  prepared->change.batch.Put(kRequestFamily, served.project.permit().id + "/one", id);
  SLUIS_ASSERT_OK(served.project.records()->Finish(std::move(prepared->change)));
  prepared->change.locks.clear();
  v1::GetLinkJobResponse job;
  SLUIS_ASSERT_OK(served.GetLinkJob("one", job));
  EXPECT_EQ(job.state(), v1::GetLinkJobResponse::DONE);
  EXPECT_EQ(job.link_set_id(), id);
  EXPECT_EQ(ReasonOf(served.GetLinkSet().status()), "PERMIT_EXPIRED");
  EXPECT_EQ(ReasonOf(served.FetchRows(id)), "PERMIT_EXPIRED");
}

TEST(LinkerService, RefusesEverythingAfterRetention) {
  Served served({.not_after = -2, .retention_end = -1});
  ASSERT_EQ(served.project.records(), nullptr);
  EXPECT_EQ(ReasonOf(served.Withdraw("p-1")), "RETENTION_ENDED");
  EXPECT_EQ(ReasonOf(served.AbortUpload("p-1")), "RETENTION_ENDED");
  EXPECT_EQ(ReasonOf(served.StartLink("one")), "PERMIT_EXPIRED");
  EXPECT_EQ(ReasonOf(served.GetLinkSet().status()), "PERMIT_EXPIRED");
  EXPECT_EQ(ReasonOf(served.FetchRows(std::string(64, '0'))), "PERMIT_EXPIRED");
}

}  // namespace
}  // namespace sluis::linker
