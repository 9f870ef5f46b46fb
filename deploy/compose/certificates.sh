#!/usr/bin/env bash
# Makes a certificate authority and a certificate for each server and role, with openssl:
#   deploy/compose/certificates.sh FOLDER
# Run it as root, so that each key belongs to the user that its container runs as, and to nobody else. What exists is left
# as it is. For a trial: where there is a certificate authority already, take the certificates from that.
set -euo pipefail
folder=${1:?give the folder to write to}
days=365
mkdir -p "$folder" && cd "$folder"
umask 077

if [ ! -f ca.key ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days "$days" -subj "/CN=hwlink trial authority" \
    -keyout ca.key -out ca.pem 2>/dev/null
fi

# certificate NAME COMMON_NAME USER_ID [HOST]: NAME.key and NAME.pem, of the user with that id
certificate() {
  [ -f "$1.pem" ] && return
  local extra="extendedKeyUsage=clientAuth"
  [ -z "${4:-}" ] || extra=$'extendedKeyUsage=serverAuth,clientAuth\n'"subjectAltName=DNS:$4,DNS:localhost,IP:127.0.0.1"
  openssl req -newkey rsa:3072 -nodes -sha256 -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" -sha256 \
    -extfile <(printf '%s\n' "$extra") -out "$1.pem" 2>/dev/null
  rm "$1.csr"
  cat "$1.key" "$1.pem" >"$1.both"  # what Kafka reads as one PEM key store
  if [ "$(id -u)" = 0 ]; then chown "$3:$3" "$1".*; fi
  chmod 0600 "$1".*
}

certificate kafka kafka 1000 kafka
certificate postgresql postgresql 70 postgresql
for role in admin ingest landing matcher resolver features query review operator replay; do
  certificate "$role" "hwlink-$role" 10001
  # How the role's clients reach Kafka: HWLINK_KAFKA_SECURITY_PATH.
  printf '[tls]\nca_file = "ca.pem"\ncertificate_file = "%s.pem"\nkey_file = "%s.key"\n' "$role" "$role" >"$role.toml"
done
chmod 0644 ca.pem ./*.toml
chmod 0755 .
