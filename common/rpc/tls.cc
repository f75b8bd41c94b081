#include "common/rpc/tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

namespace tls = grpc::experimental;

constexpr unsigned kReloadSeconds = 60;
constexpr int kMaxMessageBytes = 8 << 20;

// Accepts a server by its SPIFFE ID; the chain to the authorities has been verified by then.
class SpiffeVerifier : public tls::ExternalCertificateVerifier {
 public:
  explicit SpiffeVerifier(std::string expected) : expected_(std::move(expected)) {}
  ~SpiffeVerifier() override = default;

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const auto names = request->uri_names();
    const bool expected = names.size() == 1 && std::string(names[0].data(), names[0].size()) == expected_;
    *sync_status = expected
                       ? grpc::Status::OK
                       : grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                                      "the server's certificate does not carry the identity that is configured for it");
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  std::string expected_;
};

absl::Status CheckFiles(const TlsFiles& files) {
  for (const std::string& path : {files.certificate, files.private_key, files.authorities}) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return absl::NotFoundError(
          absl::StrCat("TLS file ", path, " cannot be read; check the tls section of the configuration"));
    }
    if (path == files.private_key && (info.st_mode & 077) != 0) {
      return absl::PermissionDeniedError(
          absl::StrCat("private key ", path, " may be read by others than its owner; run chmod 600 on it"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsFiles& files) {
  SLUIS_RETURN_IF_ERROR(CheckFiles(files));
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(files.private_key, files.certificate,
                                                                        files.authorities, kReloadSeconds);
  tls::TlsServerCredentialsOptions options(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const TlsFiles& files, const std::string& address,
                                                       const std::string& identity) {
  SLUIS_RETURN_IF_ERROR(CheckFiles(files));
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(files.private_key, files.certificate,
                                                                        files.authorities, kReloadSeconds);
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<SpiffeVerifier>(identity));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // connections under two identities are never shared
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  return grpc::CreateCustomChannel(address, tls::TlsCredentials(options), arguments);
}

absl::StatusOr<std::string> PeerIdentity(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) {
    return absl::UnauthenticatedError("a client certificate is needed");
  }
  const auto uris = auth->FindPropertyValues("peer_uri");
  const auto ids = auth->FindPropertyValues("peer_spiffe_id");
  if (uris.size() != 1 || ids.size() != 1) {
    return absl::UnauthenticatedError("the client certificate must carry exactly one URI name, a SPIFFE ID");
  }
  return std::string(ids[0].data(), ids[0].size());
}

}  // namespace sluis::common
