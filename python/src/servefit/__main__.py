from servefit import main

main()
