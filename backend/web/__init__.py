"""The web server's side: Django behind granian's asynchronous interface (RSGI), and the phones that wait."""
