// A certificate and its key for a server of ours. Internal to hub/ (C++17, for websocketpp's sake).
#pragma once

#include <memory>
#include <string>

#ifndef ASIO_STANDALONE
#define ASIO_STANDALONE
#endif
#include <asio/ssl.hpp>

namespace payops::api {

// TLS 1.2 and newer with the certificate chain and the key in these PEM files; null with the reason
// in `error`, in a sentence, when they cannot be used.
std::shared_ptr<asio::ssl::context> tls_context(const std::string& cert, const std::string& key,
                                                std::string& error);

}  // namespace payops::api
