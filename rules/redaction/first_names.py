"""First names that are common in Belgium, without those that are words too; without accents and case
(`folding.fold`). They only help to guess that a person is named in a text (`name_guesses.py`). A name that is
not here may still be one."""

from typing import Final

_NAMES: Final = """
    abdel abdelkader abdul abdullah adam agnes agnieszka ahmad ahmed aicha alain alessandro alexandra alexandre alexis ali alice
    aline amelia amelie amin amina amir ana anas andreas andree andrei andrew andrzej anja anke anna anne anneke annelies
    annemie annick anouk anthony antoine antonin antonio arnaud arne arthur ashley asma astrid audrey augustin aurelie axel aya
    ayoub baptiste barbara bart bastien bea beatrice ben benedicte benjamin benoit bernadette bernard bertrand bieke bilal
    birgit bram brecht brian brice brigitte britt bruno burak camille carine carlos carmen caroline cathy cecile cedric celine
    chaima chantal charles charlie charlotte chloe christel christiane christine christophe clara claudia clemence colette
    coralie corentin corinne cyril daan damien daniel danielle dario david davy debby delphine denis denise deniz diane didier
    diego dieter dirk dmitri dominique donna dorothee dounia dries driss edward elena elias elien elisabeth elise elizabeth ella
    ellen elodie eloise emiel emile emilie emily emine emma emmanuel emmanuelle emre eric esra estelle etienne eva evelien evy
    ewout fabien fabienne fabrice fadila fanny farah fatiha fatima fatma febe felix femke ferre fien filip florence florian
    floris fouad francesca francine franck francois francoise frederic frederik frederique frieda gabriel gaelle gaetan gauthier
    geert genevieve geoffrey george georges gerard gert ghislaine gilles giovanni gisela giulia giuseppe glenn goedele greet
    gregory greta griet guido guillaume gunther hafsa hajar hakan hamza hanane hannah hanne hannelore hans harry hassan heidi
    heike heinz helena helene helga helmut hendrik henri henriette herve hilde hildegard horst houda hugo huguette hussein
    ibrahim igor ikram ilias ilse ilyas imane imran inaya ine ines inge ingeborg ingrid ioana ion isabel isabelle isla ismail
    ivan ivo jaak jack jacob jacqueline jacques jade jakub jamal james jamila jan jana janne jarne jason jasper javier jean
    jeanne jeannine jef jeff jelle jennifer jens jeremy jeroen jerome jessica jill joao jocelyne joel johan john joke jolien
    jonas jonathan joris jorn jos jose josefien joseph josephine joshua josiane jozef juan judith jules julia julie julien
    juliette jurgen justine kaat karel karen karim karima karin karl karlien katarzyna katia katja kato katrien katrin kelly
    kenneth kerem kerstin kevin khadija khalid kim kirsten klaus kobe koen kris krista kristel kristien kristof laetitia laila
    lander lara lars latifa laura laure laurence laurent lea leen leila lena lennert leon leonie levi liam lien liesbeth
    lieselot lieven liliane lina linda lisa lise lize lode loic lore lotte loubna louis louise lowie luc luca lucas lucia lucie
    lucy ludovic luis luka lukas luna lutgart maaike maarten maartje madeleine magali mailys malgorzata malika manfred manon
    manu marc marcel marco margaux margot marguerite maria mariam marianne marie marieke marijke marina marion marjan markus
    marleen marthe martin martine mary mathias mathieu mathilde mats matteo matthew matthias maud maurice mauro maxim maxime
    maximilian megan mehdi mehmet melanie melissa meryem michael michel michele michelle michiel mickael mieke miguel mihai mila
    milan mireille mohamad mohamed mohammad mohammed monika monique moritz mourad muhammad murat muriel mustafa mustapha myriam
    nabil nadia nadine naima najat nancy naomi natalia natalie nathalie nathan nawal nele nicolas nicole niels nina noah noemie
    noor nora nore nour oceane odette odile okan oksana olga oliver olivia olivier omar oona ophelie orhan osman othman pablo
    pascal patrice patricia patrick paul paula paule paulien pauline pawel pedro pepijn peter petra philippe piet pieter pim
    piotr quentin quinten rachel rachid rachida raf rainer rania raphael rayan raymond raymonde rebecca reda regine remi remy
    renate renaud rene ria richard rik rim rita robbe robert robin roel roger romain ruben rui rune ryan sabine sabrina safae
    salma sam samir samira sanae sander sandra sandrine sanne sara sarah saskia sebastian sebastien senne seppe serge sergei
    serkan siebe sien sigrid siham silke silvia simon simone soetkin sofia sofie sonia sophia sophie souad soufiane soukaina
    stan stefan steffi stella stephane stephanie steven stijn susan suzanne sven svetlana sylvain sylviane sylvie tamara tania
    tarik tariq tatiana tatjana tess theo therese thibault thibaut thierry thijs thomas tibo tijs tim tine tinne tobias tom
    tomasz tristan tuur ulrich ursula ute uwe valentin valentine valerie vanessa veerle vera veronique vic victor viktor vince
    vincent virginie viviane vladimir wafa walid wannes warre willem william wim wolfgang wout wouter xander xavier yannick
    yasin yasmina yasmine yassin yassine yolande yoran younes yousra youssef yusuf yves yvette yvonne zakaria zaki zeynep zineb
    zoe zofia zohra
"""

FIRST_NAMES: Final = frozenset(_NAMES.split())
