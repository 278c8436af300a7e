//! One Redis type over standalone, Sentinel, Cluster and in-process.
