#include "payops/streaming/development_broker.h"

#include "client.h"
// After rdkafka.h, as it demands.
#include <librdkafka/rdkafka_mock.h>

#include <thread>

#include "payops/streaming/topics.h"

namespace payops::streaming {

using MockCluster =
    std::unique_ptr<rd_kafka_mock_cluster_t, Deleter<rd_kafka_mock_cluster_destroy>>;

struct DevelopmentBroker::Impl {
  ClientWatch watch;
  std::string bootstrap;
  ClientHandle client;  // the cluster's keeper; destroyed after it
  MockCluster cluster;
};

namespace {

// The mock cluster may sleep for a second over a request to create a topic; traffic wakes it.
class Waker {
 public:
  Waker(rd_kafka_t* client, const std::string& bootstrap) {
    rd_kafka_brokers_add(client, bootstrap.c_str());
    thread_ = std::jthread([client](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const rd_kafka_metadata_t* metadata = nullptr;
        if (rd_kafka_metadata(client, 0, nullptr, &metadata, 100) == RD_KAFKA_RESP_ERR_NO_ERROR) {
          rd_kafka_metadata_destroy(metadata);
        }
      }
    });
  }

 private:
  std::jthread thread_;
};

Status create_all(rd_kafka_t* client, rd_kafka_mock_cluster_t* cluster,
                  const std::string& bootstrap, const StreamingConfig& config) {
  const Waker waker(client, bootstrap);
  for (const TopicSpec& each : topic_specs()) {
    const TopicSpec spec = *find_topic(config, each.topic);
    const std::string name = topic_name(config, spec.topic);
    if (const rd_kafka_resp_err_t err =
            rd_kafka_mock_topic_create(cluster, name.c_str(), spec.partitions, 1);
        err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::internal,
                  "the embedded broker does not create \"" + name + "\": " + rd_kafka_err2str(err));
    }
  }
  return {};
}

}  // namespace

DevelopmentBroker::DevelopmentBroker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DevelopmentBroker::~DevelopmentBroker() = default;

Result<std::unique_ptr<DevelopmentBroker>> DevelopmentBroker::start(const StreamingConfig& config) {
  if (const Status valid = config.validate(); !valid) return tl::make_unexpected(valid.error());
  auto impl = std::make_unique<Impl>();
  ConfHandle conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  auto client = open_client(ClientKind::writer, std::move(conf), impl->watch);
  if (!client) return tl::make_unexpected(client.error());
  impl->client = std::move(*client);
  impl->cluster.reset(rd_kafka_mock_cluster_new(impl->client.get(), 1));
  if (impl->cluster == nullptr) {
    return fail(ErrorCode::unavailable, "the embedded broker cannot listen on a port of 127.0.0.1");
  }
  impl->bootstrap = rd_kafka_mock_cluster_bootstraps(impl->cluster.get());
  if (const Status created =
          create_all(impl->client.get(), impl->cluster.get(), impl->bootstrap, config);
      !created) {
    return tl::make_unexpected(created.error());
  }
  return std::unique_ptr<DevelopmentBroker>(new DevelopmentBroker(std::move(impl)));
}

const std::string& DevelopmentBroker::bootstrap() const { return impl_->bootstrap; }

std::string_view DevelopmentBroker::notice() {
  return "This is payops' embedded development broker, not Apache Kafka:\n"
         "  - nothing outlives the process, and only this machine can reach it;\n"
         "  - of each partition the last 5 MiB or 100,000 batches are kept, older records vanish;\n"
         "  - aborted transactions are not hidden from readers, and topics are not compacted;\n"
         "  - the first election of a decider takes about 3 s.\n"
         "For anything that must be kept: scripts/kafka start.\n";
}

void DevelopmentBroker::set_reachable(bool reachable) {
  if (reachable) {
    rd_kafka_mock_broker_set_up(impl_->cluster.get(), -1);
  } else {
    rd_kafka_mock_broker_set_down(impl_->cluster.get(), -1);
  }
}

}  // namespace payops::streaming
