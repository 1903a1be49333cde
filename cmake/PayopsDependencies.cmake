# Third-party libraries, all from Debian packages, each behind a short name `payops_dep_<name>`.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(payops_dependency name)
  add_library(payops_dep_${name} INTERFACE)
  target_link_libraries(payops_dep_${name} INTERFACE ${ARGN})
endfunction()

foreach(pair "sodium:libsodium" "xxhash:libxxhash" "zstd:libzstd" "rdkafka:rdkafka" "rocksdb:rocksdb"
    "httplib:cpp-httplib" "jwt:libjwt" "curl:libcurl" "openssl:openssl"
    "prometheus:prometheus-cpp-core")
  string(REPLACE ":" ";" parts ${pair})
  list(GET parts 0 name)
  list(GET parts 1 package)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${package})
  payops_dependency(${name} PkgConfig::${name})
endforeach()

find_package(simdjson REQUIRED)
payops_dependency(simdjson simdjson::simdjson)
find_package(yaml-cpp REQUIRED)
payops_dependency(yaml-cpp yaml-cpp)
find_package(spdlog REQUIRED)
payops_dependency(spdlog spdlog::spdlog Threads::Threads)
find_package(CLI11 REQUIRED)
payops_dependency(cli11 CLI11::CLI11)
# libcsv has no pkg-config file.
find_library(PAYOPS_LIBCSV csv REQUIRED)
payops_dependency(csv ${PAYOPS_LIBCSV})
# Headers alone: the standalone Asio and websocketpp on it.
find_path(PAYOPS_WEBSOCKETPP websocketpp/server.hpp REQUIRED)
find_path(PAYOPS_ASIO asio.hpp REQUIRED)
payops_dependency(websocketpp Threads::Threads)
payops_dependency(hub)
if(PAYOPS_TESTS)
  find_package(benchmark REQUIRED)
  payops_dependency(benchmark benchmark::benchmark)
  payops_dependency(rapidcheck rapidcheck)
endif()
