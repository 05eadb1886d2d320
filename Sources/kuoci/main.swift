import Commands

Kuoci.start()
