//! What happens when too much is asked: keys, queues, bodies, connections, and the end of a gateway.

mod bodies;
mod connections;
mod keys;
mod queues;
mod shutdown;
