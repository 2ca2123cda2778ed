# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# The dependencies, in a layer that stays valid while only our own sources change.
# A target that Cargo.toml names with a path (a bench, say) needs its file here too.
COPY Cargo.toml Cargo.lock build.rs ./
COPY .cargo .cargo
RUN mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked \
    && rm -r src

# The program. Copied files keep their times, which are older than the stubs': touch them, or cargo takes the
# stubs for up to date.
COPY .sqlx .sqlx
COPY migrations migrations
COPY openapi/examples openapi/examples
COPY askama.toml ./
COPY src src
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

FROM debian:bookworm-slim
# Certificate authorities, for TLS to the providers and the database.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 onelane \
    && useradd --system --uid 10001 --gid onelane --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin onelane
COPY --from=build /build/target/release/onelane /usr/local/bin/onelane

USER 10001:10001
ENV ONELANE_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["onelane", "health"]
ENTRYPOINT ["onelane"]
CMD ["serve", "--migrate"]
