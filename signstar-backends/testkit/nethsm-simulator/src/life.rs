//! The thread of a device: it serves, is away, comes back, and ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::device::Power;
use crate::server;
use crate::shared::{Order, Shared};

/// How long the answer to a request that ends in a reboot has to get out.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// How often a port that somebody else has for a moment is asked for.
const BIND_ATTEMPTS: usize = 50;

/// Keeps a port while nobody listens on it: a device that reboots comes back on the same, and on a busy
/// machine somebody else would have it by then. Whoever connects meanwhile is refused.
pub(crate) fn reserve(at: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let place = match at {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    place.set_reuseaddr(true)?;
    place.bind(at)?;
    let address = place.local_addr()?;
    Ok((place, address))
}

/// The thread of a device.
pub(crate) struct Life {
    pub(crate) shared: Arc<Shared>,
    pub(crate) address: SocketAddr,
    pub(crate) _place: TcpSocket,
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) reboot: Duration,
}

impl Life {
    pub(crate) fn run(
        &self,
        runtime: &Runtime,
        mut orders: watch::Receiver<Order>,
        listener: TcpListener,
        on_http: Option<TcpListener>,
    ) {
        runtime.block_on(async move {
            if let Some(on_http) = on_http {
                tokio::spawn(server::redirect(on_http, self.address));
            }
            let mut listener = Some(listener);
            while let Some(listening) = listener.take() {
                let (shared, acceptor) = (Arc::clone(&self.shared), self.acceptor.clone());
                let mut connections = JoinSet::new();
                let order = tokio::select! {
                    order = orders.wait_for(|order| *order != Order::Run) => {
                        order.map_or(Order::Stop, |order| *order)
                    }
                    never = server::serve(shared, listening, acceptor, &mut connections) => never,
                };
                // Nobody listens any more; an answer that is on its way gets out.
                if let Order::Leave(_) = order {
                    tokio::time::sleep(LAST_WORDS).await;
                }
                connections.shutdown().await;
                self.shared.set_away(true);
                if !self.be_away(order, &mut orders).await {
                    return;
                }
                listener = self.bind().await;
                self.shared.set_away(false);
            }
        });
    }

    /// Whether the device comes back.
    async fn be_away(&self, order: Order, orders: &mut watch::Receiver<Order>) -> bool {
        match order {
            Order::Stop => return false,
            Order::Run => {}
            Order::Leave(power) => {
                let back = |order: &Order| *order != Order::Leave(power);
                match power {
                    // Somebody has to switch it on again.
                    Power::Shutdown => {
                        let order = orders.wait_for(back).await;
                        if order.map_or(Order::Stop, |order| *order) == Order::Stop {
                            return false;
                        }
                    }
                    Power::Reboot | Power::FactoryReset => {
                        tokio::time::sleep(self.reboot).await;
                    }
                }
                self.shared.with_device(|device| {
                    if power == Power::FactoryReset {
                        // Without randomness the old configuration stays.
                        let _ = device.reset();
                    } else {
                        device.boot();
                    }
                });
                self.shared.settle();
            }
        }
        let stopped = *orders.borrow() == Order::Stop;
        if !stopped {
            self.shared.orders.send_if_modified(|order| {
                let leaving = matches!(order, Order::Leave(_));
                if leaving {
                    *order = Order::Run;
                }
                leaving
            });
        }
        !stopped
    }

    async fn bind(&self) -> Option<TcpListener> {
        for _ in 0..BIND_ATTEMPTS {
            if let Ok(listener) = TcpListener::bind(self.address).await {
                return Some(listener);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}
