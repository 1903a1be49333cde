#include "tls.h"

namespace payops::api {

std::shared_ptr<asio::ssl::context> tls_context(const std::string& cert, const std::string& key,
                                                std::string& error) {
  namespace ssl = asio::ssl;
  try {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                         ssl::context::no_tlsv1_1);
    context->use_certificate_chain_file(cert);
    context->use_private_key_file(key, ssl::context::pem);
    return context;
  } catch (const std::exception& e) {
    error =
        "the certificate in " + cert + " and its key in " + key + " cannot be used: " + e.what();
    return nullptr;
  }
}

}  // namespace payops::api
