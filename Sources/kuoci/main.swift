import Commands

Kuoci.main()
