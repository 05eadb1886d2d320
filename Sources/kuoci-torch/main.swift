import TorchCommands

KuociTorch.start()
