//! `D...`: `assay serve` cannot begin.

super::codes! {
    DATA_UNUSABLE = "D001", "the data directory cannot be used",
        "The directory given with --data, or the store in it, cannot be made, read or written, or a \
         newer assay wrote it. Check the path, the permission and the space; nothing was changed.";
    IN_USE = "D002", "another assay serves this directory",
        "Two programs that take the same runs through their states would disturb each other, so \
         only one may serve a directory. Stop the other one, or give this one its own directory.";
    NO_LISTENER = "D003", "the address cannot be listened on",
        "Another program has the port, or the address is not one of this machine's. Give another \
         one with --listen; port 0 takes any free port and says which.";
    CREDENTIALS_UNUSABLE = "D004", "the credentials cannot be used",
        "The file `credentials` in the data directory holds the keys that requests are signed with, \
         in the form of the AWS command line. It must be readable by its owner only (chmod 600) and \
         every section must have aws_access_key_id and aws_secret_access_key. Where it is missing, \
         a new one is made.";
    TLS_UNUSABLE = "D005", "the certificate or its key cannot be used",
        "--tls-cert is a PEM file with the certificate and those that vouch for it, --tls-key a PEM \
         file with its private key, not encrypted. Check that both can be read and belong together.";
    HOST_UNUSABLE = "D006", "this machine cannot be an agent",
        "With --live this machine is looked at before anything is served, and that failed. Start \
         without --live to judge snapshots only.";
    TOPICS_UNUSABLE = "D007", "the topics make no sense",
        "The file `topics.json` in the data directory says where notifications go: for each topic \
         either a spool directory or a program with its whole path. The message names the mistake.";
    NOT_LOOPBACK = "D008", "this address is open to others",
        "Requests are answered to whoever holds the key, and what they ask for tells all about the \
         hosts. So other machines may reach the service only where --allow-remote says that this is \
         wanted, with TLS, and never without signatures (--no-auth).";
}
