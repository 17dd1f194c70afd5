//! A stretch of wire between a server and its PostgreSQL that a test can stop, cut, or have break at a commit. What flows is
//! what both really say.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

use percent_encoding::percent_decode_str;
use url::Url;

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    #[default]
    Flows,
    /// Nothing goes on, in either direction, and nobody is told.
    Stands,
    /// Every connection ends, and no new one is made.
    Cut,
    /// It is cut once the database was told to commit, before its answer arrives.
    CutAtCommit,
}

#[derive(Default)]
struct Shared {
    wire: Mutex<Wire>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().expect("no test fails while it holds it")
    }
}

pub struct Proxy {
    shared: Arc<Shared>,
    /// Of the database, through this wire.
    pub url: String,
}

impl Proxy {
    /// A wire to the database of this URL.
    pub fn to(database: &str) -> Proxy {
        let database = Url::parse(database).expect("the harness made it");
        let host = percent_decode_str(database.host_str().unwrap_or_default()).decode_utf8_lossy().into_owned();
        let port = database.port().unwrap_or(5432);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own_port = listener.local_addr().expect("it listens").port();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if *of_thread.lock() == Wire::Cut {
                    continue;
                }
                let both = if host.starts_with('/') {
                    let stream = UnixStream::connect(format!("{host}/.s.PGSQL.{port}")).expect("the database");
                    Ends::of(&client, &stream, UnixStream::try_clone)
                } else {
                    let stream = TcpStream::connect((host.as_str(), port)).expect("the database");
                    Ends::of(&client, &stream, TcpStream::try_clone)
                };
                both.join(&of_thread);
            }
        });
        let mut url = database.clone();
        url.set_host(Some("127.0.0.1"))
            .and_then(|()| url.set_port(Some(own_port)).map_err(|()| url::ParseError::InvalidPort))
            .expect("a host and a port");
        Proxy { shared, url: url.into() }
    }

    pub fn set(&self, wire: Wire) {
        *self.shared.lock() = wire;
        self.shared.changed.notify_all();
    }
}

/// The reading and the writing end of both sides of a connection.
struct Ends {
    from_client: Box<dyn Read + Send>,
    to_client: Box<dyn Write + Send>,
    from_database: Box<dyn Read + Send>,
    to_database: Box<dyn Write + Send>,
    /// Ends the connection with the client.
    client: TcpStream,
}

impl Ends {
    fn of<S: Read + Write + Send + 'static>(
        client: &TcpStream,
        database: &S,
        clone: impl Fn(&S) -> std::io::Result<S>,
    ) -> Ends {
        let again = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        Ends {
            from_client: Box::new(again(client)),
            to_client: Box::new(again(client)),
            from_database: Box::new(clone(database).expect("a second handle")),
            to_database: Box::new(clone(database).expect("a second handle")),
            client: again(client),
        }
    }

    fn join(self, shared: &Arc<Shared>) {
        let Ends { from_client, to_client, from_database, to_database, client } = self;
        let (there, back) = (Arc::clone(shared), Arc::clone(shared));
        thread::spawn(move || carry(&there, from_client, to_database, true));
        thread::spawn(move || {
            carry(&back, from_database, to_client, false);
            let _ = client.shutdown(std::net::Shutdown::Both);
        });
    }
}

fn carry(shared: &Shared, mut from: impl Read, mut to: impl Write, is_request: bool) {
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut part) {
        let mut wire = shared.lock();
        while *wire == Wire::Stands {
            wire = shared.changed.wait(wire).expect("no test fails while it holds it");
        }
        if *wire == Wire::Cut {
            return;
        }
        if to.write_all(&part[..length]).is_err() {
            return;
        }
        if *wire == Wire::CutAtCommit && is_request && part[..length].windows(6).any(|word| word == b"COMMIT") {
            *wire = Wire::Cut;
        }
    }
}
