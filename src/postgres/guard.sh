# Starts PostgreSQL, waits until nobody holds the other end of standard input, and takes it down.
# Called by guard.rs: programs, data, run directory, shutdown signal, an option for initdb or
# nothing, and then postgres' options. Standard output is the cluster's lock, standard error its
# log.

# Only the end of the pipe counts. Children inherit this, but initdb and postgres set their own.
trap '' HUP INT QUIT TERM
ulimit -c 0

programs=$1 data=$2 run=$3 signal=$4 initdb_option=$5
shift 5

(
    # Made under another name first: an interrupted initdb must not look like a cluster.
    if [ ! -d "$data" ]; then
        rm -rf "$data.new"
        "$programs/initdb" --pgdata="$data.new" --username=onelane --encoding=UTF8 --locale=C \
            --auth-local=trust --auth-host=reject --no-instructions \
            ${initdb_option:+"$initdb_option"} &&
            mv "$data.new" "$data"
    fi && "$programs/postgres" -D "$data" "$@"
    echo "$?" >"$run/exited"
) </dev/null >&2 &
server=$!

read -r ignored

# The signal goes to the whole group, whose other members ignore it, and again and again, since
# postgres may be just about to start. An initdb is left to finish, which takes less than a
# second: interrupted, it would leave shared memory behind.
while kill -0 "$server" 2>/dev/null; do
    if [ -d "$data" ]; then kill -s "$signal" 0; fi
    sleep 0.02 || sleep 1
done
rm -rf "$run"
