// libcurl's handles behind deleters. Internal to notify.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace payops::notify {

struct CleanUpCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using CurlHandle = std::unique_ptr<CURL, CleanUpCurl>;

struct FreeCurlList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, FreeCurlList>;

// libcurl is set up once for the process; no signals, whatever the thread. Null when it cannot be.
[[nodiscard]] inline CurlHandle open_curl() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CurlHandle curl(ready == CURLE_OK ? curl_easy_init() : nullptr);
  if (curl != nullptr) curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  return curl;
}

inline void append(CurlList& list, const std::string& item) {
  curl_slist* longer = curl_slist_append(list.get(), item.c_str());
  if (longer == nullptr) return;  // no memory: the old list stands
  (void)list.release();
  list.reset(longer);
}

}  // namespace payops::notify
