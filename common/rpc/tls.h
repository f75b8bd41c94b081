#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

// Mutual TLS with SPIFFE identities: a certificate's one URI name says who its holder is; host names play no role.

namespace sluis::common {

struct TlsFiles {
  std::string certificate;  // PEM
  std::string private_key;  // PEM; refused if others than its owner may read it
  std::string authorities;  // PEM
};

// Credentials of a server that demands a client certificate issued by one of the authorities. The files are watched: a
// changed certificate is used for new connections within a minute. Errors: NOT_FOUND or PERMISSION_DENIED with the file
// named.
[[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsFiles& files);

// A channel to `address` whose peer must prove the SPIFFE ID `identity`; any other certificate fails the handshake.
[[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const TlsFiles& files, const std::string& address,
                                                                     const std::string& identity);

// Returns the caller's SPIFFE ID. Errors: UNAUTHENTICATED if the peer has no certificate or not exactly one URI name
// that is a SPIFFE ID.
[[nodiscard]] absl::StatusOr<std::string> PeerIdentity(const grpc::ServerContextBase& context);

}  // namespace sluis::common
