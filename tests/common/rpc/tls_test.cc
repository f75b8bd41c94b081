#include "common/rpc/tls.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "common/rpc/status_convert.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "proto/sluis/common/v1/log.grpc.pb.h"
#include "tests/common/rpc/certificates.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::Certificates;
using ::sluis::common::testing::StatusIs;

constexpr char kServer[] = "spiffe://example/keys";
constexpr char kClient[] = "spiffe://example/custodian/population";

// Answers every call with the caller's identity as PeerIdentity gives it.
class Mirror final : public v1::TransparencyLog::Service {
  grpc::Status GetResource(grpc::ServerContext* context, const v1::GetResourceRequest*,
                           v1::GetResourceResponse* response) override {
    const auto identity = PeerIdentity(*context);
    if (identity.ok()) response->set_content(*identity);
    return ToGrpc(identity.status());
  }
};

class MutualTls : public ::testing::Test {
 protected:
  void StartServer(const TlsFiles& files) {
    const auto credentials = MakeServerCredentials(files);
    SLUIS_ASSERT_OK(credentials);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", *credentials, &port);
    builder.RegisterService(&mirror_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }
  // The identity that the server saw.
  absl::StatusOr<std::string> Call(const std::shared_ptr<grpc::Channel>& channel) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::GetResourceResponse response;
    const grpc::Status status =
        v1::TransparencyLog::NewStub(channel)->GetResource(&context, v1::GetResourceRequest(), &response);
    if (!status.ok()) return FromGrpc(status);
    return response.content();
  }
  absl::StatusOr<std::string> CallAs(const TlsFiles& files, const std::string& expected_server = kServer) const {
    const auto channel = Connect(files, address_, expected_server);
    return channel.ok() ? Call(*channel) : channel.status();
  }

  Certificates certificates_;
  Mirror mirror_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(MutualTls, TheServerSeesTheClientsIdentity) {
  StartServer(certificates_.Issue("server", {kServer}));
  const auto identity = CallAs(certificates_.Issue("client", {kClient}));
  SLUIS_ASSERT_OK(identity);
  EXPECT_EQ(*identity, kClient);
}

TEST_F(MutualTls, AClientOfAnotherAuthorityIsRefused) {
  StartServer(certificates_.Issue("server", {kServer}));
  EXPECT_THAT(CallAs(certificates_.Issue("client", {kClient}, "other")), StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(MutualTls, AClientWithoutACertificateIsRefused) {
  StartServer(certificates_.Issue("server", {kServer}));
  std::ifstream in(certificates_.AuthorityFile("ca"));
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::string(std::istreambuf_iterator<char>(in), {})));
  options.watch_root_certs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  EXPECT_THAT(Call(grpc::CreateChannel(address_, grpc::experimental::TlsCredentials(options))),
              StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(MutualTls, AClientWithoutTlsIsRefused) {
  StartServer(certificates_.Issue("server", {kServer}));
  EXPECT_THAT(Call(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials())),
              StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(MutualTls, AClientWithTwoUriNamesHasNoIdentity) {
  StartServer(certificates_.Issue("server", {kServer}));
  EXPECT_THAT(CallAs(certificates_.Issue("client", {kClient, "https://example.org"})),
              StatusIs(absl::StatusCode::kUnauthenticated, "exactly one URI name"));
}

TEST_F(MutualTls, AClientWithoutASpiffeIdHasNoIdentity) {
  StartServer(certificates_.Issue("server", {kServer}));
  EXPECT_THAT(CallAs(certificates_.Issue("web", {"https://example.org/a"})),
              StatusIs(absl::StatusCode::kUnauthenticated, "a SPIFFE ID"));
  EXPECT_THAT(CallAs(certificates_.Issue("nameless", {})), StatusIs(absl::StatusCode::kUnauthenticated, "a SPIFFE ID"));
}

TEST_F(MutualTls, AServerWithAnotherIdentityIsRefused) {
  StartServer(certificates_.Issue("server", {"spiffe://example/linker"}));
  const TlsFiles client = certificates_.Issue("client", {kClient});
  EXPECT_THAT(CallAs(client, kServer), StatusIs(absl::StatusCode::kUnavailable, ""));
  EXPECT_THAT(CallAs(client, "spiffe://example/linke"), StatusIs(absl::StatusCode::kUnavailable, ""));
  EXPECT_THAT(CallAs(client, "spiffe://example/linker/x"), StatusIs(absl::StatusCode::kUnavailable, ""));
  SLUIS_EXPECT_OK(CallAs(client, "spiffe://example/linker"));
}

TEST_F(MutualTls, AServerWithTwoUriNamesIsRefused) {
  StartServer(certificates_.Issue("server", {kServer, "spiffe://example/linker"}));
  EXPECT_THAT(CallAs(certificates_.Issue("client", {kClient})), StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(MutualTls, AServerOfAnotherAuthorityIsRefused) {
  StartServer(certificates_.Issue("server", {kServer}, "other", "ca"));
  EXPECT_THAT(CallAs(certificates_.Issue("client", {kClient})), StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(MutualTls, APrivateKeyThatOthersMayReadIsRefused) {
  const TlsFiles files = certificates_.Issue("server", {kServer});
  for (const mode_t mode : {0640, 0604, 0620, 0610, 0777}) {
    ASSERT_EQ(chmod(files.private_key.c_str(), mode), 0);
    EXPECT_THAT(MakeServerCredentials(files), StatusIs(absl::StatusCode::kPermissionDenied, "chmod 600"));
    EXPECT_THAT(Connect(files, "127.0.0.1:1", kServer), StatusIs(absl::StatusCode::kPermissionDenied, "chmod 600"));
  }
  ASSERT_EQ(chmod(files.private_key.c_str(), 0400), 0);
  SLUIS_EXPECT_OK(MakeServerCredentials(files));
}

TEST_F(MutualTls, AFileThatIsNotThereIsNamed) {
  const TlsFiles files = certificates_.Issue("server", {kServer});
  for (std::string TlsFiles::*const field : {&TlsFiles::certificate, &TlsFiles::private_key, &TlsFiles::authorities}) {
    TlsFiles without = files;
    without.*field += ".gone";
    EXPECT_THAT(MakeServerCredentials(without), StatusIs(absl::StatusCode::kNotFound, without.*field));
    EXPECT_THAT(Connect(without, "127.0.0.1:1", kServer), StatusIs(absl::StatusCode::kNotFound, without.*field));
  }
}

}  // namespace
}  // namespace sluis::common
