from .atoms.codes import Codes as Codes
from .atoms.codes import encode as encode
from .atoms.edit import Ablation as Ablation
from .atoms.edit import ablate as ablate
from .atoms.edit import edit as edit
from .atoms.effects import Effects as Effects
from .atoms.effects import effects as effects
from .atoms.effects import psnr_drops as psnr_drops
from .atoms.statistics import (
    AtomStatistics as AtomStatistics,
)
from .atoms.statistics import (
    atom_statistics as atom_statistics,
)
from .atoms.statistics import (
    mean_map as mean_map,
)
from .checkpoints import load as load
from .checkpoints import save as save
from .dictionaries.evaluate import SaeQuality as SaeQuality
from .dictionaries.evaluate import evaluate_sae as evaluate_sae
from .dictionaries.topk import SparseAutoencoder as SparseAutoencoder
from .dictionaries.train import SaeFit as SaeFit
from .dictionaries.train import train_sae as train_sae
from .errors import InputError as InputError
from .fields.backbone import backbone_names as backbone_names
from .fields.backbone import make_backbone as make_backbone
from .fields.encoder import Encoder as Encoder
from .fields.field import Field as Field
from .fields.field import initial_field as initial_field
from .fitting import recipes as recipes
from .fitting.fit import fit as fit
from .fitting.fit import fit_cohort as fit_cohort
from .fitting.history import Fit as Fit
from .fitting.recipes import Recipe as Recipe
from .fitting.transfer import transfer as transfer
from .metrics import psnr as psnr
from .metrics import ssim as ssim
from .ranks.advice import FreezeAdvice as FreezeAdvice
from .ranks.advice import freeze_advice as freeze_advice
from .ranks.stable_rank import (
    activation_stable_ranks as activation_stable_ranks,
)
from .ranks.stable_rank import (
    stable_rank as stable_rank,
)
from .ranks.stable_rank import (
    weight_stable_ranks as weight_stable_ranks,
)
from .signals.bundled import bundled_photos as bundled_photos
from .signals.folders import load_folder as load_folder
from .signals.images import load_image as load_image
from .signals.images import save_image as save_image
from .signals.signal import (
    Signal as Signal,
)
from .signals.signal import (
    coordinates as coordinates,
)
from .signals.signal import (
    coordinates_between as coordinates_between,
)
from .signals.signal import (
    signal_from_array as signal_from_array,
)

__version__: str
