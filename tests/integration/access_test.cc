#include <google/protobuf/descriptor.h>

#include <filesystem>
#include <functional>
#include <set>

#include "common/bytes/secret.h"
#include "common/document/permit_document.h"
#include "common/rpc/log_service.h"
#include "common/rpc/status_convert.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/server/gate_service.h"
#include "gtest/gtest.h"
#include "keys/server/keys_service.h"
#include "linker/server/linker_service.h"
#include "tests/common/rpc/certificates.h"
#include "tests/integration/generic_call.h"
#include "tests/integration/second_permit.h"
#include "tests/integration/world.h"

// Who may call what: every method of every service, called by everybody, against a table that is written here again.

namespace sluis::testing {
namespace {

using common::testing::StatusIs;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr std::chrono::seconds kTimeout(20);

struct Door {
  std::string server;  // keys | linker | gate
  const ServiceDescriptor* service;
  common::Guard::Table table;
};

std::vector<Door> Doors() {
  const ServiceDescriptor* log = common::v1::GetResourceRequest::descriptor()->file()->service(0);
  const common::Guard::Table log_table = common::LogService::AccessTable();
  return {{"keys", keys::v1::EvaluateRequest::descriptor()->file()->service(0), keys::KeysService::AccessTable()},
          {"linker", linker::v1::BeginUploadRequest::descriptor()->file()->service(0),
           linker::LinkerService::AccessTable()},
          {"gate", disclosure::v1::StartTableRequest::descriptor()->file()->service(0),
           disclosure::GateService::AccessTable()},
          {"keys", log, log_table},
          {"linker", log, log_table},
          {"gate", log, log_table}};
}

std::string NameOf(const MethodDescriptor& method) { return method.service()->name() + "." + method.name(); }

using Parties = std::set<std::string>;
const Parties kEverybody = {"keys",     "linker",     "gate",       "office",   "auditor",
                            "stranger", "population", "employment", "benefits", "education"};

// Who gets past the guard with a request about the register jobs.
Parties WhoMayCall(const std::string& method) {
  static const Parties kCustodians = {"population", "employment", "benefits", "education"};
  static const Parties kJobs = {"employment"};
  static const Parties kOffice = {"office"};
  static const Parties kGate = {"gate"};
  static const std::map<std::string, Parties> kTable = {
      {"Keys.Evaluate", kJobs},
      {"Keys.GetQuota", kCustodians},
      {"Linker.BeginUpload", kJobs},
      {"Linker.Upload", kJobs},
      {"Linker.CommitUpload", kJobs},
      {"Linker.AbortUpload", kJobs},
      {"Linker.Withdraw", kJobs},
      {"Linker.StartLink", kOffice},
      {"Linker.GetLinkJob", kOffice},
      {"Linker.CancelLinkJob", kOffice},
      {"Linker.GetLinkSet", kGate},
      {"Linker.FetchRows", kGate},
      {"Gate.StartTable", kOffice},
      {"Gate.GetTableJob", kOffice},
      {"Gate.CancelTableJob", kOffice},
      {"Gate.GetRelease", kOffice},
      {"Gate.GetEvidence", {"auditor"}},
      {"TransparencyLog.GetResource",
       {"keys", "linker", "gate", "office", "auditor", "population", "employment", "benefits", "education"}},
  };
  const auto found = kTable.find(method);
  if (found == kTable.end()) {
    ADD_FAILURE() << method << " has no row in this test: say who may call it";
    return {};
  }
  return found->second;
}

std::string DocumentFor(const common::Permit& permit) {
  std::string document = SmallRequest("release-x");
  const std::string first = World::kPermitId;
  return document.replace(document.find(first), first.size(), permit.id);
}

// Fills in what a method looks at before it decides about the caller: the permit, the register jobs, hashes of the
// right length.
void Fill(Message& message, const common::Permit& permit) {
  const std::map<std::string, std::string> values = {{"permit_id", permit.id},
                                                     {"permit_sha256", std::string(common::AsChars(permit.sha256))},
                                                     {"register", "jobs"},
                                                     {"delivery_id", "jobs-x"},
                                                     {"request_id", "request-x"},
                                                     {"job_id", "job-x"},
                                                     {"release_id", "release-x"},
                                                     {"purpose", "identifiers"},
                                                     {"path", "checkpoint"},
                                                     {"link_set_id", std::string(64, '0')},
                                                     {"request_document", DocumentFor(permit)}};
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated()) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Fill(*message.GetReflection()->MutableMessage(&message, &field), permit);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const auto value = values.find(field.name());
      if (value != values.end()) {
        message.GetReflection()->SetString(&message, &field, value->second);
      } else if (field.name().ends_with("sha256")) {
        message.GetReflection()->SetString(&message, &field, std::string(32, '\0'));
      }
    }
  }
}

std::unique_ptr<Message> Request(const MethodDescriptor& method, const common::Permit& permit) {
  std::unique_ptr<Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
  Fill(*request, permit);
  if (auto* evaluate = dynamic_cast<keys::v1::EvaluateRequest*>(request.get())) {
    evaluate->set_delivery_id("jobs/jobs-x");  // the key holder wants the register in it
  }
  return request;
}

void ForEachMethod(const std::function<void(const Door&, const MethodDescriptor&)>& visit) {
  for (const Door& door : Doors()) {
    for (int i = 0; i < door.service->method_count(); ++i) visit(door, *door.service->method(i));
  }
}

TEST(AccessTable, NamesExactlyTheMethodsOfTheService) {
  for (const Door& door : Doors()) {
    Parties declared, in_table;
    for (int i = 0; i < door.service->method_count(); ++i) declared.insert(NameOf(*door.service->method(i)));
    for (const auto& [method, role] : door.table) in_table.insert(method);
    EXPECT_FALSE(declared.empty());
    EXPECT_EQ(declared, in_table) << door.service->full_name();
  }
}

TEST(AccessTable, NoServiceIsUnknownToThisTest) {
  std::set<std::string> known, declared;
  for (const Door& door : Doors()) known.insert(door.service->full_name());
  const std::filesystem::path root = std::getenv("SLUIS_SOURCE_DIR");
  for (const auto& file : std::filesystem::recursive_directory_iterator(root / "proto")) {
    if (file.path().extension() != ".proto") continue;
    const std::string text = ReadWhole(file.path());
    if (text.find("\nservice ") == std::string::npos) continue;
    const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
        file.path().lexically_relative(root).string());
    ASSERT_NE(descriptor, nullptr) << file.path();
    for (int i = 0; i < descriptor->service_count(); ++i) declared.insert(descriptor->service(i)->full_name());
  }
  EXPECT_EQ(declared, known);
}

TEST(Access, IsForTheRolesOfEachMethodAndNobodyElse) {
  const World world;
  const common::Permit permit = world.Permit();
  for (const std::string& party : kEverybody) {
    std::map<std::string, std::shared_ptr<grpc::Channel>> channels;
    for (const std::string server : {"keys", "linker", "gate"}) channels[server] = world.Channel(party, server);
    ForEachMethod([&](const Door& door, const MethodDescriptor& method) {
      const absl::Status status =
          common::FromGrpc(CallMethod(channels[door.server], method, *Request(method, permit), kTimeout));
      const std::string what = party + " calls " + NameOf(method) + " of " + door.server;
      if (!WhoMayCall(NameOf(method)).contains(party)) {
        EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied, "")) << what;
        EXPECT_EQ(common::ReasonOf(status), "ACCESS_DENIED") << what;
        return;
      }
      // The control: who may call gets an answer about the request itself.
      const std::set<absl::StatusCode> answers = {absl::StatusCode::kOk, absl::StatusCode::kInvalidArgument,
                                                  absl::StatusCode::kNotFound, absl::StatusCode::kFailedPrecondition};
      EXPECT_TRUE(answers.contains(status.code())) << what << ": " << status.ToString();
    });
  }
}

// Both permits have somebody in every role, so that the guard's table lets everybody of the other permit pass: only the
// look at the permit at hand refuses them.
TEST(Access, AtOnePermitGivesNoneAtAnother) {
  World world;
  Parties parties = kEverybody;
  parties.erase("stranger");
  AddSecondPermit(world, parties);
  if (HasFatalFailure()) return;
  const common::Permit first = world.Permit();
  const auto second = common::ParsePermit(ReadWhole(world / "permit-second/permit.yaml"));
  SLUIS_ASSERT_OK(second);
  common::Permit unknown = first;
  unknown.id = "no-such-project";

  int refused = 0, admitted = 0;
  for (const std::string& party : parties) {
    for (const bool of_second : {false, true}) {
      const std::string caller = of_second ? SecondParty(party) : party;
      std::map<std::string, std::shared_ptr<grpc::Channel>> channels;
      for (const std::string server : {"keys", "linker", "gate"}) channels[server] = world.Channel(caller, server);
      ForEachMethod([&](const Door& door, const MethodDescriptor& method) {
        if (method.service()->name() == "TransparencyLog") return;  // of the service, not of a permit
        const auto call = [&](const common::Permit& permit) {
          return common::FromGrpc(CallMethod(channels[door.server], method, *Request(method, permit), kTimeout));
        };
        const std::string what = caller + " calls " + NameOf(method);
        const absl::Status elsewhere = call(of_second ? first : *second);
        EXPECT_THAT(elsewhere, StatusIs(absl::StatusCode::kPermissionDenied, "")) << what;
        EXPECT_EQ(common::ReasonOf(elsewhere), "ACCESS_DENIED") << what;
        // That there is such a project is not told either.
        EXPECT_EQ(elsewhere, call(unknown)) << what;
        ++refused;
        if (!WhoMayCall(NameOf(method)).contains(party)) return;
        const absl::Status at_home = call(of_second ? *second : first);
        EXPECT_NE(at_home.code(), absl::StatusCode::kPermissionDenied) << what << ": " << at_home;
        ++admitted;
      });
    }
  }
  EXPECT_GE(refused, 2 * 9 * 17);
  EXPECT_GE(admitted, 2 * 17);
}

TEST(Access, NeedsACertificateOfTheAuthorityAndADeadline) {
  const World world;
  const common::Permit permit = world.Permit();
  common::testing::Certificates other_authority;
  common::TlsFiles forged =
      other_authority.Issue("forged", {"spiffe://sluis.example/custodian/employment"}, "other", "other");
  forged.authorities = world / "tls/ca.crt";  // it trusts the services, only they do not trust it

  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::StaticDataCertificateProvider>(ReadWhole(world / "tls/ca.crt")));
  options.watch_root_certs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  const auto nameless = grpc::experimental::TlsCredentials(options);

  std::map<std::string, std::vector<std::shared_ptr<grpc::Channel>>> refused;
  for (const std::string server : {"keys", "linker", "gate"}) {
    const auto channel = common::Connect(forged, world.Address(server), World::Identity(server));
    SLUIS_ASSERT_OK(channel);
    refused[server] = {*channel, grpc::CreateChannel(world.Address(server), nameless),
                       grpc::CreateChannel(world.Address(server), grpc::InsecureChannelCredentials())};
    // A client does not talk to a server that proves another identity than the one it was told.
    for (const std::string other : {"keys", "linker", "gate"}) {
      if (other == server) continue;
      const auto misled = common::Connect(world.Tls("office"), world.Address(server), World::Identity(other));
      SLUIS_ASSERT_OK(misled);
      refused[server].push_back(*misled);
    }
  }
  std::map<std::pair<std::string, std::string>, std::shared_ptr<grpc::Channel>> admitted;
  ForEachMethod([&](const Door& door, const MethodDescriptor& method) {
    const std::unique_ptr<Message> request = Request(method, permit);
    for (std::size_t i = 0; i < refused[door.server].size(); ++i) {
      EXPECT_THAT(common::FromGrpc(CallMethod(refused[door.server][i], method, *request, kTimeout)),
                  StatusIs(absl::StatusCode::kUnavailable, ""))
          << NameOf(method) << " of " << door.server << ", channel " << i;
    }
    for (const std::string& party : WhoMayCall(NameOf(method))) {
      auto& channel = admitted[{party, door.server}];
      if (channel == nullptr) channel = world.Channel(party, door.server);
      for (const auto& deadline :
           {std::optional<std::chrono::seconds>(), std::optional<std::chrono::seconds>(std::chrono::hours(25))}) {
        const absl::Status status = common::FromGrpc(CallMethod(channel, method, *request, deadline));
        EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "deadline")) << NameOf(method);
        EXPECT_EQ(common::ReasonOf(status), "DEADLINE_REQUIRED") << NameOf(method);
      }
    }
  });
}

TEST(Access, TheCommandLineRefusesAServiceWithAnotherIdentity) {
  World world;
  world.MakeCountry();
  // The key holder's address leads to the linker: the certificate tells.
  std::string config = ReadWhole(world / "clients/education.yaml");
  const std::string keys = world.Address("keys");
  ASSERT_NE(config.find(keys), std::string::npos);
  config.replace(config.find(keys), keys.size(), world.Address("linker"));
  WriteWhole(world / "clients/education.yaml", config);
  const Outcome outcome = world.Sluis(World::Submit("education", "civic", "civic-1", "country/civic.csv"));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_NE(outcome.err.find("SERVICE_UNREACHABLE"), std::string::npos) << outcome.err;
  EXPECT_EQ(world.QuotaUsed("education")["identifiers"], 0u);
}

}  // namespace
}  // namespace sluis::testing
